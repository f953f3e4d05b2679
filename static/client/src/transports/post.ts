import type { Bytes } from "../bytes.ts";
import { noBytes } from "../bytes.ts";
import { outside, type Platform } from "../platform.ts";

/** A complete answer. Status 0: the network failed, or the browser hides the answer. */
export interface Answer {
  status: number;
  body: Bytes;
}

/**
 * The one shape of our requests: simple in the sense of CORS, so that no preflight
 * is paid. Outside of browsers we say that we belong to the proxy.
 */
export function postInit(url: string, body: Bytes): RequestInit {
  const headers: { [name: string]: string } = { "Content-Type": "text/plain" };
  if (outside) headers["Origin"] = new URL(url).origin;
  return {
    method: "POST",
    body,
    headers,
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
  };
}

/** Posts body and calls done once with the whole answer. The returned function drops the request. */
export function post(platform: Platform, url: string, body: Bytes, done: (answer: Answer) => void): () => void {
  return platform.fetch ? postWithFetch(platform.fetch, url, body, done) : postWithXHR(platform.XMLHttpRequest!, url, body, done);
}

/** Whether post can work here. */
export function canPost(platform: Platform): boolean {
  return !!(platform.fetch ?? platform.XMLHttpRequest);
}

function postWithFetch(fetchIt: typeof fetch, url: string, body: Bytes, done: (answer: Answer) => void): () => void {
  let wanted = true;
  const abort = typeof AbortController === "undefined" ? null : new AbortController();
  const finish = (answer: Answer): void => {
    if (wanted) done(answer);
    wanted = false;
  };
  fetchIt(url, abort ? { ...postInit(url, body), signal: abort.signal } : postInit(url, body))
    .then(async (response) => ({ status: response.status, body: new Uint8Array(await response.arrayBuffer()) }))
    .catch(() => ({ status: 0, body: noBytes }))
    .then(finish);
  return () => {
    wanted = false;
    abort?.abort();
  };
}

function postWithXHR(XHR: typeof XMLHttpRequest, url: string, body: Bytes, done: (answer: Answer) => void): () => void {
  const request = new XHR();
  request.open("POST", url);
  request.responseType = "arraybuffer";
  request.setRequestHeader("Content-Type", "text/plain");
  request.onload = () => done({ status: request.status, body: new Uint8Array(request.response as ArrayBuffer) });
  request.onerror = () => done({ status: 0, body: noBytes });
  request.send(body);
  return () => {
    request.onload = request.onerror = null;
    request.abort();
  };
}
