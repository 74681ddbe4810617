// From a key to the frame that shows it, in the code editor and in a bare text area of the same browser with the same
// text, so that what the browser itself takes is known. The benchmark runs this and prints what it says.

import type { Page } from '@playwright/test';

import { field, openForm } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

// A trace takes the whole page down again and again: most of what is measured would be that.
test.use({ trace: 'off' });

/** Letters; what changes the colours of a line; and what moves all lines that come after. */
const KEYS = { letter: ['x', 'y', 'z', '"'], line: ['Enter', 'Backspace'] };

type Kind = keyof typeof KEYS;
type Times = Record<Kind, number[]>;

const BARE = '<textarea id="code" wrap="off" rows="24" style="width: 40rem; font: 0.875rem/1.5 monospace"></textarea>';

function program(lines: number): string {
  return Array.from({ length: lines }, (_, index) => `value_${index} = f"{index}" # line ${index}`).join('\n');
}

/** Typing so much takes Chromium minutes, also in a bare text area. */
async function put(page: Page, text: string): Promise<void> {
  await page.locator('#code').evaluate((area: HTMLTextAreaElement, text) => {
    area.value = text;
    area.dispatchEvent(new Event('input', { bubbles: true }));
    area.focus();
  }, text);
}

/** Presses a key, and waits for the frame that shows it; answers what that took, in milliseconds. */
async function press(page: Page, key: string): Promise<number> {
  const frame = await page.evaluateHandle(() => ({
    shown: new Promise<number>((resolve) => {
      const begin = () => {
        const start = performance.now();
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now() - start);
        // The browser draws after this, and before the next task.
        requestAnimationFrame(() => port2.postMessage(null));
      };
      window.addEventListener('keydown', begin, { once: true, capture: true });
    }),
  }));
  await page.keyboard.press(key);
  const took = await frame.evaluate(({ shown }) => shown);
  // So that nothing of it is left for the next one.
  await page.evaluate(() => new Promise((done) => requestIdleCallback(done)));
  return took;
}

/** At the start, in the middle and at the end of the text, several times each. */
async function measure(page: Page, text: string): Promise<Times> {
  const times: Times = { letter: [], line: [] };
  // A place beyond the end is the end.
  for (const place of [0, text.indexOf('\n', text.length / 2), 2 * text.length]) {
    await page.locator('#code').evaluate((area: HTMLTextAreaElement, place) => area.setSelectionRange(place, place), place);
    // The first key after a jump does not count: the browser shows another part of the text for it.
    await press(page, 'w');
    for (let time = 0; time < 4; time += 1) {
      for (const kind of ['letter', 'line'] as const) {
        for (const key of KEYS[kind]) {
          times[kind].push(await press(page, key));
        }
      }
    }
  }
  return times;
}

function middle(times: number[]): number {
  return times.toSorted((one, other) => one - other)[times.length >> 1] ?? 0;
}

function words(times: number[]): string {
  return `median ${middle(times).toFixed(1)} ms, most ${Math.max(...times).toFixed(1)} ms`;
}

for (const lines of [200, 5000]) {
  test(`a key is seen at once in ${lines} lines`, async ({ page, problems }) => {
    test.setTimeout(120_000);
    problems.expect(/^dialog: beforeunload/);
    const text = program(lines);
    await page.setContent(BARE);
    await put(page, text);
    const bare = await measure(page, text);

    await openForm(page);
    await put(page, text);
    const editor = await measure(page, text);
    for (const [kind, name] of [['letter', 'a letter'], ['line', 'a line more or less']] as const) {
      const ratio = middle(editor[kind]) / middle(bare[kind]);
      console.log(
        `keystroke: ${lines} lines, ${name}: editor ${words(editor[kind])}; bare text area ${words(bare[kind])}: ratio ${ratio.toFixed(2)}`,
      );
    }
    // Only what is in view is drawn, and at the end that is the end.
    expect(await page.locator('.code-lines > div').count()).toBeLessThan(200);
    await field(page, 'code').press('Control+End');
    await expect(page.locator('.code-lines > div').last()).toHaveText(new RegExp(`# line ${lines - 1}wxyz"`));
    await expect(page.locator('.code-lines > div').last()).toBeInViewport();
  });
}
