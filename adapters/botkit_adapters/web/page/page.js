// The demo page: opens the widget, copies the line that embeds it.

const COPIED_MS = 2000;

const $ = (id) => document.getElementById(id);

$("open").addEventListener("click", () => {
  (window.botkit ?? document.querySelector("botkit-chat"))?.open?.();
});

async function copy() {
  const snippet = $("snippet");
  try {
    await navigator.clipboard.writeText(snippet.textContent);
  } catch {
    // Without the permission, or over plain http: selected, it is one key away.
    getSelection().selectAllChildren(snippet);
    return;
  }
  $("copy").textContent = "Copied";
  setTimeout(() => { $("copy").textContent = "Copy"; }, COPIED_MS);
}

$("copy").addEventListener("click", copy);
