// What a picky designer sees at once, as sentences: what hangs over the edge, is cut off, is broken in the middle of a
// word, is too narrow to read what is written in it, or lies on something else.
() => {
  const SLACK = 1.5;
  const NARROWEST = 64; // A field for text that is narrower shows some five letters.
  const LONGEST = 22; // Letters; a longer word may be broken where it has no room.
  const OURS = 36; // Letters of what is to be chosen; longer ones are names that people gave.
  const ARROW = 16; // Of a list to choose from.
  const CONTROLS = "a, button, input:not([type=hidden]), select, textarea, summary";
  const room = document.documentElement.clientWidth;
  const modal = [...document.querySelectorAll("dialog:modal")].pop();
  const within = modal ?? document.body;

  const named = (element) => {
    const words = (element.getAttribute("aria-label") || element.innerText || element.name || "").trim().replace(/\s+/g, " ");
    return `<${element.localName}${element.className && typeof element.className === "string" ? `.${element.className.trim().replace(/\s+/g, ".")}` : ""}> "${words.slice(0, 50)}"`;
  };
  const kept = (element) => {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || box.bottom + scrollY < 0) return false; // For who listens, or come to by Tab alone.
    for (let one = element; one; one = one.parentElement) if (getComputedStyle(one).clipPath !== "none") return false;
    return true;
  };
  const scrolls = (element, axis) => ["auto", "scroll"].includes(getComputedStyle(element)[axis]);
  // The part of a box that its surroundings show.
  const shown = (element, box = element.getBoundingClientRect()) => {
    let { left, right, top, bottom } = box;
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      const of = one.getBoundingClientRect();
      if (style.overflowX !== "visible") [left, right] = [Math.max(left, of.left), Math.min(right, of.right)];
      if (style.overflowY !== "visible") [top, bottom] = [Math.max(top, of.top), Math.min(bottom, of.bottom)];
      if (style.position === "fixed" || one.matches(":popover-open, dialog:modal")) break;
    }
    return { left, right, top, bottom };
  };

  const pen = document.createElement("canvas").getContext("2d");
  const wordsWidth = (field, words) => {
    pen.font = getComputedStyle(field).font;
    return pen.measureText(words).width;
  };
  const inside = (field) => {
    const { paddingLeft, paddingRight } = getComputedStyle(field);
    return field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  };

  const found = [];
  const all = [...within.querySelectorAll("*")].filter((one) => !one.closest("svg") && kept(one));
  if (document.documentElement.scrollWidth > room) found.push(`The page is ${document.documentElement.scrollWidth} px wide, its window ${room}`);

  for (const one of all) {
    const box = one.getBoundingClientRect();
    // A text may be scrolled to in a box of its own; what is to be clicked may not be out of sight.
    const inScroller = !one.matches(CONTROLS) && (() => {
      for (let up = one.parentElement; up; up = up.parentElement) if (scrolls(up, "overflowX")) return true;
      return false;
    })();
    const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!inScroller && (hasText || one.matches(CONTROLS)) && (box.right > room + SLACK || box.left < -SLACK)) {
      found.push(`Hangs over the edge: ${named(one)}`);
    }
  }

  const boxed = (one) => ["inline-block", "inline-flex"].includes(getComputedStyle(one).display) || one.matches("button, a, summary");
  for (const one of all) {
    if (one.matches("input, select, textarea") || !boxed(one) || getComputedStyle(one).display === "inline") continue;
    if (one.scrollWidth > one.clientWidth + SLACK || one.scrollHeight > one.clientHeight + 4) found.push(`Its words do not fit: ${named(one)}`);
  }

  const controls = all.filter((one) => one.matches(CONTROLS));
  for (const one of controls) {
    const typed = one.matches("input:not([type=checkbox], [type=radio], [type=number], [type=file]), select, textarea");
    if (typed && one.getBoundingClientRect().width < NARROWEST) {
      found.push(`Too narrow to be read: ${named(one)}, ${Math.round(one.getBoundingClientRect().width)} px`);
    }
    if (one.placeholder && !one.value && one.matches("input") && wordsWidth(one, one.placeholder) > inside(one) + SLACK) {
      found.push(`Its hint is cut off: ${named(one)} "${one.placeholder}"`);
    }
    const chosen = one.matches("select:not([multiple])") ? (one.selectedOptions[0]?.text ?? "") : "";
    if (chosen && chosen.length <= OURS && wordsWidth(one, chosen) > inside(one) - ARROW) found.push(`What is chosen is cut off: ${named(one)} "${chosen}"`);
  }

  // Words, line by line.
  const walk = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const parent = node.parentElement;
    if (!parent || !node.data.trim() || parent.closest("svg, script, style, option, pre, textarea") || !kept(parent)) continue;
    for (const { 0: word, index } of node.data.matchAll(/[\p{L}\p{M}]+/gu)) {
      if (word.length < 2 || word.length > LONGEST) continue;
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set([...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)));
      if (lines.size > 1) found.push(`Broken in the middle: "${word}" in ${named(parent)}`);
    }
  }

  // Controls that lie on each other; a field leaves room for a button in it by its padding.
  const boxes = controls.filter((one) => getComputedStyle(one).display !== "inline").map((one) => {
    const box = shown(one);
    const style = getComputedStyle(one);
    if (one.matches("input, textarea")) {
      box.left += parseFloat(style.paddingLeft);
      box.right -= parseFloat(style.paddingRight);
    }
    let layer = one;
    while (layer && layer !== within && !(["fixed", "sticky"].includes(getComputedStyle(layer).position) || layer.matches(":popover-open") || Number(getComputedStyle(layer).zIndex) > 0)) layer = layer.parentElement;
    return { one, box, layer };
  }).filter(({ box }) => box.right - box.left > 1 && box.bottom - box.top > 1);
  boxes.forEach((a, at) => {
    for (const b of boxes.slice(at + 1)) {
      if (a.layer !== b.layer || a.one.contains(b.one) || b.one.contains(a.one)) continue;
      const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (wide > 2 && high > 2) found.push(`Lie on each other: ${named(a.one)} and ${named(b.one)}`);
    }
  });
  return [...new Set(found)];
}
