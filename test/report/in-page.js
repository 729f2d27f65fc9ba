// Runs inside of the pages that are looked at (look.ts): plain JavaScript, since the project has no types of a browser.

/** Visible text nodes with their elements; what only screen readers and drawings' titles hold is left out. */
function texts() {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const words = node.textContent.trim().slice(0, 60);
    const element = node.parentElement;
    if (words !== '' && element.closest('style, title') === null) found.push({ node, element, words });
  }
  return found;
}

/** Texts that reach out of the page, are cut by a box that cannot scroll, or lie on each other. */
function misplaced() {
  const found = [];
  const wide = document.documentElement.clientWidth;
  const boxes = [];
  for (const { node, element, words } of texts()) {
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      boxes.push({ node, words, box });
      if (element.closest('.scroll') !== null) continue;
      if (box.left < -0.5 || box.right > wide + 0.5) found.push(`out of the page: ${words}`);
      const svg = element.closest('svg')?.getBoundingClientRect();
      if (svg !== undefined && (box.left < svg.left - 0.5 || box.right > svg.right + 0.5))
        found.push(`cut by its drawing: ${words}`);
    }
  }
  boxes.sort((a, b) => a.box.top - b.box.top);
  boxes.forEach((one, i) => {
    for (let j = i + 1; j < boxes.length && boxes[j].box.top < one.box.bottom; j++) {
      const other = boxes[j];
      if (one.node === other.node) continue;
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const down = Math.min(one.box.bottom, other.box.bottom) - other.box.top;
      // boxes of lines are higher than their letters
      if (across > 1 && down > 5) found.push(`${one.words} lies on ${other.words}`);
    }
  });
  for (const element of document.querySelectorAll('body *:not(style, svg, svg *)')) {
    if (element.scrollWidth <= element.clientWidth + 1 || element.closest('.scroll') !== null) continue;
    if (element.clientWidth > 0 && getComputedStyle(element).overflowX !== 'visible')
      found.push(`cut: ${element.textContent.trim().slice(0, 60)}`);
  }
  return found;
}

function luminance(colour) {
  const [r, g, b] = colour.slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Red, green, blue (0 to 255) and opacity of a computed colour. */
function colourOf(css) {
  const parts = (css.match(/[\d.]+/g) ?? []).map(Number);
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? (parts.length === 3 ? 1 : 0)];
}

function behind(element) {
  for (let at = element; at !== null; at = at.parentElement) {
    const paper = at.tagName === 'svg' ? at.querySelector('.paper') : null;
    const colour = colourOf(paper ? getComputedStyle(paper).fill : getComputedStyle(at).backgroundColor);
    if (colour[3] > 0) return colour;
  }
  return [255, 255, 255, 1];
}

/** Texts whose contrast ratio (WCAG 2.2) with what is behind them is less than `least`. */
function faint(least) {
  const found = new Set();
  for (const { element, words } of texts()) {
    const style = getComputedStyle(element);
    const colour = colourOf(element.closest('svg') === null ? style.color : style.fill);
    const [low, high] = [luminance(colour), luminance(behind(element))].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (colour[3] < 1 || ratio < least) found.add(`${ratio.toFixed(2)}: ${words}`);
  }
  return [...found];
}

/** Levels of the headings in order, and what has no name for those who listen. */
function structure() {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const unnamed = [
    ...all('svg').filter((svg) => svg.role !== 'img' || !svg.querySelector(':scope > title')?.textContent),
    ...all('[tabindex], nav').filter((one) => !one.ariaLabel),
    ...all('a, summary, h1, h2').filter((one) => one.textContent.trim() === ''),
  ];
  return {
    headings: all('h1, h2, h3, h4, h5, h6').map(({ tagName }) => Number(tagName.slice(1))),
    unnamed: unnamed.map((one) => one.outerHTML.slice(0, 120)),
  };
}

/** Whether the element with the focus, met for the first time, shows that it has it; null where all were met. */
function focusMark() {
  const at = document.activeElement;
  if (at === null || at === document.body || at.hasAttribute('data-met')) return null;
  at.setAttribute('data-met', '');
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
}

/** How the elements of a selector are painted: by an outline, filled, or both. */
function painted(selector) {
  return [...document.querySelectorAll(selector)].map((one) => {
    const { fill, stroke } = getComputedStyle(one);
    return `${fill === 'none' ? 'empty' : 'filled'}, ${stroke === 'none' ? 'no line' : 'line'}`;
  });
}

function unfold() {
  for (const one of document.querySelectorAll('details')) one.open = true;
}

/** Width that the page takes, and its paper. */
function extent() {
  return {
    width: document.documentElement.scrollWidth,
    paper: getComputedStyle(document.body).backgroundColor,
  };
}

globalThis.look = { misplaced, faint, structure, focusMark, painted, unfold, extent };
