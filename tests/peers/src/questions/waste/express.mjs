// Serves requests that come as lines of JSON, and answers each with a line.
//
// node express.mjs redis://… careful|default
import { createInterface } from "node:readline";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import { createClient } from "redis";

const [, , url, settings] = process.argv;
const say = (words) => process.stdout.write(`${JSON.stringify(words)}\n`);
const client = createClient({ url });
await client.connect();

let go = () => {};
const app = express();
const options = settings === "careful" ? { resave: false, saveUninitialized: false } : { resave: true, saveUninitialized: true };
app.use(session({ store: new RedisStore({ client }), secret: "secret", cookie: { maxAge: 3_600_000 }, ...options }));
app.get("/", async (request, response) => {
    const state = request.session;
    const [visits, dark] = [state.visits ?? 0, state.dark ?? false];
    if (request.query.meets) {
        const gone = new Promise((resolve) => (go = resolve));
        say({ event: "loaded" });
        await gone;
    }
    switch (request.query.act) {
        case "Same":
            state.visits = visits;
            break;
        case "Revert":
            state.visits = visits + 1;
            state.visits = visits;
            break;
        case "Visit":
            state.visits = visits + 1;
            break;
        case "Turn":
            state.dark = !dark;
            break;
        case "Both":
            state.visits = visits + 1;
            state.dark = !dark;
            break;
    }
    response.end();
});

const server = app.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    const serve = async ({ act, cookie, meets }) => {
        const headers = cookie ? { cookie } : {};
        const response = await fetch(`http://127.0.0.1:${port}/?act=${act}${meets ? "&meets=1" : ""}`, { headers });
        await response.text();
        say({ cookie: response.headers.get("set-cookie")?.split(";")[0] });
    };
    createInterface({ input: process.stdin }).on("line", (line) => {
        const words = JSON.parse(line);
        if (words.go) go();
        else serve(words);
    });
    say({ event: "ready" });
});
