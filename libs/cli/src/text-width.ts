/** Columns that a text takes on a terminal: two for East Asian wide letters and emoji, none for what joins the letter before it. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const letter of text) width += JOINS.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return width;
}

const ASCII = /^[\x20-\x7e]*$/;
const JOINS = /^[\p{Mn}\p{Me}\p{Cf}\ufe0f]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

/** Cut to so many columns, with an ellipsis in place of what is lost. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width < 1) return '';
  let kept = '';
  let used = 0;
  for (const letter of text) {
    const own = widthOf(letter);
    if (used + own > width - 1) break;
    kept += letter;
    used += own;
  }
  return `${kept}…`;
}

/** Filled up with spaces to so many columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** As padEnd, with the spaces in front. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}
