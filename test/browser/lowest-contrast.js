/** Runs in a page: the lowest contrast of a text with the background that it stands on, as WCAG 2 computes it. */
// biome-ignore lint/correctness/noUnusedVariables: templates.test.ts calls it in the page
function lowestContrast() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let lowest = 21;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.textContent.trim() === "") continue;
    const text = luminance(channelsOf(getComputedStyle(node.parentElement).color));
    const ground = luminance(backgroundOf(node.parentElement));
    lowest = Math.min(lowest, (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05));
  }
  return lowest;
}

function channelsOf(colour) {
  return colour.match(/[\d.]+/g).map(Number);
}

/** The nearest background around an element; at last the browser's own, light or dark. */
function backgroundOf(element) {
  if (element === null) return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  const colour = channelsOf(getComputedStyle(element).backgroundColor);
  return colour[3] === 0 ? backgroundOf(element.parentElement) : colour;
}

function luminance(colour) {
  const [r, g, b] = colour.map((value) =>
    value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
