(() => {
  const panel = document.getElementById("panel");
  const [totals, entries] = [document.getElementById("totals"), document.getElementById("entries")];
  let [last, source] = [panel.dataset.after, null];
  const listen = () => {
    source = new EventSource("/panel/events?after=" + last);
    source.onmessage = (event) => {
      last = event.lastEventId;
      const news = document.createElement("template");
      news.innerHTML = event.data;
      totals.innerHTML = news.content.children[0].innerHTML;
      entries.prepend(...news.content.children[1].children);
      while (entries.children.length > 50) entries.lastChild.remove();
    };
  };
  // A browser keeps few connections to a server, so a page that nobody sees gives its own back.
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (!document.hidden) listen();
  });
  addEventListener("pagehide", () => source?.close());
  listen();
})();
