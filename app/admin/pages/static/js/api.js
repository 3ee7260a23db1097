/** Every call of the API from a page: the session's token against forgery, problem documents as errors, 401 to a notice that leads to sign in. */
import { renewed, token } from "./session.js";

/** What the API answers where it does not do as asked: a problem document (RFC 9457). */
export class Problem extends Error {
  constructor(status, said) {
    super(said.detail || said.title || `The server answered ${status}`);
    this.status = status;
    this.said = said;
    /** What is wrong, by the path of its field. */
    this.fields = new Map((said.errors ?? []).map((one) => [one.path, one.message]));
  }
}

/**
 * Call the API.
 *
 * @param {string} method
 * @param {string} path Below `/api/v1`.
 * @param {object} [options] `body`: sent as JSON; `version`: the one that is changed (If-Match); `type`: of the body;
 *   `signal`: breaks it off; `last`: not sent again with a new token.
 * @returns {Promise<{value: any, version: string|null}>} What is answered, and its version.
 * @throws {Problem} It is not done; with status 0 where the server cannot be reached.
 */
export async function call(method, path, { body, version, type = "application/json", signal, last = false } = {}) {
  const given = token();
  const headers = { Accept: "application/json", "X-CSRF-Token": given };
  if (body !== undefined) headers["Content-Type"] = type;
  if (version !== undefined && version !== null) headers["If-Match"] = version;
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The server cannot be reached. What you entered is kept here." });
  }
  if (response.ok) {
    const value = response.status === 204 ? null : await response.json();
    return { value, version: response.headers.get("ETag") };
  }
  const said = await response.json().catch(() => ({}));
  if (!last && (response.status === 401 || (response.status === 403 && method !== "GET")) && (await renewed()) && token() !== given) {
    return call(method, path, { body, version, type, signal, last: true });
  }
  throw new Problem(response.status, said);
}
