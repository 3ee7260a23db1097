/** Whether somebody is still signed in, and the token that says that a request is their own: both may change while a page is open. */

const meta = document.querySelector('meta[name="csrf-token"]');
const FRESH_MS = 30_000;
let known = performance.now();
let notice = null;

/** The session's token against forgery; empty where nobody is signed in. */
export const token = () => meta.content;

/**
 * Ask whose session it is now, and take its token: whoever was signed out and has signed in again, in this or another tab, has a new one.
 *
 * @returns {Promise<boolean>} False where nobody is signed in: that is said, with a way to sign in; true also where it cannot be known now.
 */
export async function renewed() {
  const answer = await fetch("/api/v1/session", { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.status === 401) {
    say();
    return false;
  }
  if (!answer?.ok) return true;
  take((await answer.json()).csrf_token ?? "");
  return true;
}

/** Whether it was known within the last half minute that the session holds; also where there is none to hold. */
export const signedInLately = () => !token() || performance.now() - known < FRESH_MS;

/** Whether what is sent now comes with a session that holds; asked for where that is not known. */
export const signedIn = async () => signedInLately() || renewed();

function take(now) {
  known = performance.now();
  if (now && now !== token()) {
    meta.content = now;
    for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = now;
  }
  if (!notice) return;
  notice.remove();
  notice = null;
  document.dispatchEvent(new Event("signed-in"));
}

function say() {
  known = -Infinity;
  if (notice) return;
  const text = Object.assign(document.createElement("span"), { textContent: "You are signed out. What you entered is still here: sign in, then come back." });
  const link = Object.assign(document.createElement("a"), { textContent: "Sign in", href: "/sign-in", target: "_blank" });
  notice = Object.assign(document.createElement("div"), { className: "toast" });
  notice.append(text, link);
  document.querySelector(".toasts").append(notice);
}

// Whoever was elsewhere may have signed out there, or in.
document.addEventListener("visibilitychange", () => {
  known = -Infinity;
});
addEventListener("focus", () => {
  if (notice) renewed();
});
