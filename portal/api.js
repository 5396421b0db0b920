// Calls the API as its document names the routes. It keeps the session: the access token in memory, the refresh token
// in the tab's storage, each refresh token used once. It knows nothing of pages.

const REFRESH_KEY = "keywright.refresh_token";
const MOST_PAGES = 20;

export class Problem extends Error {
  constructor(document, status) {
    super(document.detail || document.title || `The API answered ${status}.`);
    this.name = "Problem";
    this.title = document.title || "Something went wrong";
    this.detail = document.detail || "";
    this.code = document.code || null;
    this.correlationId = document.correlation_id || null;
    this.errors = Array.isArray(document.errors) ? document.errors : [];
    this.status = status;
  }
}

export function address(base, template, names = {}, query = {}) {
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(names[name]));
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return base + path + (given.length ? `?${new URLSearchParams(given)}` : "");
}

async function problemOf(response) {
  const document = await response.json().catch(() => ({}));
  const correlationId = document.correlation_id || response.headers.get("x-correlation-id");
  return new Problem({ ...document, correlation_id: correlationId }, response.status);
}

export function createApi({ base, storage, fetch, onEnd = () => {} }) {
  let access = null;
  let refreshing = null;

  async function send(method, template, { path, query, body } = {}) {
    const headers = {};
    if (access) headers.authorization = `Bearer ${access}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const content = body === undefined ? undefined : JSON.stringify(body);
    try {
      return await fetch(address(base, template, path, query), { method, headers, body: content, cache: "no-store" });
    } catch {
      throw new Problem({ title: "The API cannot be reached", detail: "Look at the connection, and try again." }, 0);
    }
  }

  function keep(tokens) {
    access = tokens ? tokens.access_token : null;
    if (tokens) storage.setItem(REFRESH_KEY, tokens.refresh_token);
    else storage.removeItem(REFRESH_KEY);
  }

  async function exchange() {
    access = null;
    const body = { refresh_token: storage.getItem(REFRESH_KEY) };
    const response = await send("POST", "/v1/auth/refresh", { body });
    if (response.ok) return keep(await response.json());
    const problem = await problemOf(response);
    // Only a refusal ends the session; a server in trouble is asked again later.
    if (response.status >= 400 && response.status < 500 && response.status !== 429) {
      keep(null);
      onEnd();
    }
    throw problem;
  }

  // A token that is spent twice ends the session, so calls that run side by side share one exchange.
  function refresh() {
    refreshing ??= exchange().finally(() => { refreshing = null; });
    return refreshing;
  }

  async function call(method, template, given) {
    if (!access && api.hasSession()) await refresh();
    const used = access;
    let response = await send(method, template, given);
    if (response.status === 401 && used && api.hasSession()) {
      if (access === used || refreshing) await refresh();
      response = await send(method, template, given);
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  const json = async (...given) => {
    const response = await call(...given);
    return response.status === 204 ? null : response.json();
  };

  const api = {
    hasSession: () => storage.getItem(REFRESH_KEY) !== null,
    get: (template, given) => json("GET", template, given),
    post: (template, given) => json("POST", template, given),
    delete: (template, given) => json("DELETE", template, given),
    blob: async (template, given) => (await call("GET", template, given)).blob(),
    async list(template, { path, query } = {}) {
      const items = [];
      let cursor;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const answer = await api.get(template, { path, query: { ...query, cursor } });
        items.push(...answer.items);
        cursor = answer.next_cursor;
        if (!cursor) break;
      }
      return items;
    },
    async logIn(body) {
      keep(null);
      keep(await api.post("/v1/auth/login", { body }));
    },
    async logOut() {
      try {
        await api.post("/v1/auth/logout");
      } finally {
        keep(null);
      }
    },
  };
  return api;
}
