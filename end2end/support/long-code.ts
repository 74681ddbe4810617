// A long program in the code editor, or in any text area that has its id.

import type { Page } from '@playwright/test';

/** Line `n` ends with `# line n`, counted from 0 on. */
export function longProgram(lines: number): string {
  return Array.from({ length: lines }, (_, index) => `value_${index} = f"{index}" # line ${index}`).join('\n');
}

/** Typing so much takes Chromium minutes, also in a bare text area. */
export async function putCode(page: Page, text: string): Promise<void> {
  await page.locator('#code').evaluate((area: HTMLTextAreaElement, text) => {
    area.value = text;
    area.dispatchEvent(new Event('input', { bubbles: true }));
    area.focus();
  }, text);
}

/** Puts the caret at a place, counted in characters; one beyond the end is the end. */
export async function putCaret(page: Page, place: number): Promise<void> {
  await page.locator('#code').evaluate((area: HTMLTextAreaElement, place) => {
    area.focus();
    area.setSelectionRange(place, place);
  }, place);
}
