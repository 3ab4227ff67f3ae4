// Replays acts through grammY's session middleware, on a storage that counts its calls.
//
// node grammy.mjs strict|lazy < {"clients": […], "acts": […], "each": false}
import { readFileSync } from "node:fs";
import { lazySession, session } from "grammy";

const lazy = process.argv[2] === "lazy";
const { clients, acts, each } = JSON.parse(readFileSync(0, "utf8"));

let calls = { letters: "", loads: 0, writes: 0, bytes: 0 };
const count = (letter, bytes = 0) => {
    if (calls.letters.length < 64) calls.letters += letter;
    if (letter === "L") calls.loads += 1;
    else calls.writes += 1;
    calls.bytes += bytes;
};
const stored = new Map();
const storage = {
    read(key) {
        count("L");
        const text = stored.get(key);
        return text === undefined ? undefined : JSON.parse(text);
    },
    write(key, value) {
        const text = JSON.stringify(value);
        count("S", text.length);
        stored.set(key, text);
    },
    delete(key) {
        count("D");
        stored.delete(key);
    },
};
const initial = () => ({ visits: 0, theme: "light" });
const middleware = (lazy ? lazySession : session)({ initial, storage, getSessionKey: (ctx) => String(ctx.client) });

const carryOut = async (ctx, act) => {
    if (act === "Untouched") return;
    const state = await ctx.session;
    if (act === "Change" || act === "Fail") state.visits += 1;
    else if (act === "Same") state.visits = Number(state.visits);
    else if (act === "Revert") {
        state.visits += 1;
        state.visits -= 1;
    } else if (act === "Initial") state.visits = 0;
    else if (act === "Absent") delete state.coupon;
    else if (typeof act === "object") state.theme = act.Dark ? "dark" : "light";
    if (act === "Fail") throw new Error("fails");
};

const answers = [];
for (let request = 0; request < acts.length; request += 1) {
    const ctx = { client: clients[request] };
    try {
        await middleware(ctx, () => carryOut(ctx, acts[request]));
    } catch (error) {
        if (error.message !== "fails") throw error;
    }
    if (each) {
        answers.push(calls);
        calls = { letters: "", loads: 0, writes: 0, bytes: 0 };
    }
}
let visits = 0;
for (const text of stored.values()) visits += JSON.parse(text).visits;
console.log(JSON.stringify({ calls: each ? answers : [calls], held: { records: stored.size, visits } }));
