/** Work that many ask for and that is done once for all of them, so that what a key costs does not grow with what it asks for. */

const coalesced = (schedule) => (work) => {
  let asked = false;
  const run = () => {
    asked = false;
    work();
  };
  return () => {
    if (asked) return;
    asked = true;
    schedule(run);
  };
};

/** What does some work before the page is drawn again, or soon where nobody sees it. */
export const onceDrawn = coalesced((run) => (document.hidden ? setTimeout(run) : requestAnimationFrame(run)));

/** What does some work when nothing more urgent is to be done. */
export const onceIdle = coalesced((run) => (globalThis.requestIdleCallback ? requestIdleCallback(run, { timeout: 300 }) : setTimeout(run, 100)));
