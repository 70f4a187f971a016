// Asking the server; the key stays in this tab's session.

const KEY = "botkit-console-key";

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(path, options) {
  const headers = { ...options.headers, authorization: `Bearer ${key.get()}` };
  let response;
  try {
    response = await fetch(`console/api/${path}`, { ...options, headers, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    // A key that fits in no header is as wrong as any other.
    throw /^[\x20-\x7e]*$/.test(key.get()) ? new ServerError(0, "The server cannot be reached; trying again.") : new ServerError(401, "That is not the console's key.");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ServerError(response.status, body?.error?.message ?? `The server answered ${response.status}.`);
  return body;
}

export function get(path, query = {}, signal) {
  const given = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const search = new URLSearchParams(given).toString();
  return call(search ? `${path}?${search}` : path, { signal });
}

export const post = (path) => call(path, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
