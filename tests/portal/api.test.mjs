import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { address, createApi, Problem } from "./api.js";
import { memory } from "./page.mjs";

const KEY = "keywright.refresh_token";
const TROUBLE = { title: "Not so", detail: "Because.", code: "not-so", correlation_id: "c-1", status: 409 };
let server, base, spent, live, refreshStatus;

before(async () => {
  server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const say = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.url === "/v1/auth/refresh") {
      const { refresh_token: token } = JSON.parse(Buffer.concat(chunks).toString());
      if (refreshStatus !== 200) return say(refreshStatus, TROUBLE);
      if (spent.has(token)) return say(401, { ...TROUBLE, title: "Spent twice" });
      spent.add(token);
      live = `access-${spent.size}`;
      return say(200, { access_token: live, refresh_token: `refresh-${spent.size}` });
    }
    if (request.headers.authorization !== `Bearer ${live}`) return say(401, TROUBLE);
    if (request.url.startsWith("/v1/pages")) return say(200, request.url.includes("cursor=b") ? { items: [3], next_cursor: null } : { items: [1, 2], next_cursor: "b" });
    return request.url === "/v1/fails" ? say(409, TROUBLE) : say(200, { url: request.url });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());
beforeEach(() => {
  spent = new Set();
  live = null;
  refreshStatus = 200;
});

const visitor = (storage, more = {}) => createApi({ base, storage, fetch, ...more });

test("calls side by side share one exchange of the refresh token, which is used once", async () => {
  const storage = memory({ [KEY]: "first" });
  const api = visitor(storage);

  const answers = await Promise.all(["/v1/a", "/v1/b", "/v1/c"].map((path) => api.get(path)));

  assert.deepEqual(answers.map((answer) => answer.url), ["/v1/a", "/v1/b", "/v1/c"]);
  assert.deepEqual([...spent], ["first"]);
  assert.equal(storage.getItem(KEY), "refresh-1");
});

test("an access token that has ended is exchanged once, and the calls are made again", async () => {
  const api = visitor(memory({ [KEY]: "first" }));
  await api.get("/v1/a");
  live = "another";

  const answers = await Promise.all([api.get("/v1/b"), api.get("/v1/c")]);

  assert.equal(answers.length, 2);
  assert.equal(spent.size, 2);
});

test("a refused refresh token ends the session", async () => {
  let ended = 0;
  spent.add("old");
  const storage = memory({ [KEY]: "old" });
  const api = visitor(storage, { onEnd: () => { ended += 1; } });

  await assert.rejects(api.get("/v1/a"), { title: "Spent twice" });

  assert.equal(api.hasSession(), false);
  assert.equal(ended, 1);
});

test("a server in trouble does not end the session", async () => {
  refreshStatus = 503;
  const api = visitor(memory({ [KEY]: "first" }));

  await assert.rejects(api.get("/v1/a"), Problem);

  assert.equal(api.hasSession(), true);
});

test("a problem keeps its title, detail, code and correlation id", async () => {
  const api = visitor(memory({ [KEY]: "first" }));

  await assert.rejects(api.get("/v1/fails"), { title: "Not so", detail: "Because.", code: "not-so", correlationId: "c-1", status: 409 });
});

test("an API that is not there is a problem too", async () => {
  const api = createApi({ base: "http://127.0.0.1:1", storage: memory(), fetch });

  await assert.rejects(api.get("/v1/a"), { title: "The API cannot be reached" });
});

test("lists are read to their end", async () => {
  assert.deepEqual(await visitor(memory({ [KEY]: "first" })).list("/v1/pages"), [1, 2, 3]);
});

test("names in paths are escaped and empty filters left out", () => {
  assert.equal(address("", "/v1/x/{sid}", { sid: "a/b?c" }, { q: "1 2", none: null }), "/v1/x/a%2Fb%3Fc?q=1+2");
});
