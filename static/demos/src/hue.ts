/** How many colours for people the stylesheet has. */
const hues = 6;

/** The number of the colour of someone, the same on every page. */
export function hue(name: string): string {
  let sum = 0;
  for (const c of name) {
    sum = (sum * 31 + c.charCodeAt(0)) % 6007;
  }
  return String(sum % hues);
}
