/**
 * Runs change, which adds to the end of list, and keeps the end in view if it was
 * in view before: whoever scrolled back to read is left alone. Removes the oldest
 * entries above most.
 */
export function append(list: HTMLElement, most: number, change: () => void): void {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  change();
  while (list.childElementCount > most) {
    list.firstElementChild?.remove();
  }
  if (atEnd) {
    list.scrollTop = list.scrollHeight;
  }
}
