// What a key may make the browser do in a long program: it is counted, not timed. `tests/bench` has the times.

import type { CDPSession, Page } from '@playwright/test';

import { longProgram, putCaret, putCode } from '../../support/long-code.ts';
import { field, openForm } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

// One takes the whole page down at each step, and this test takes one of its own.
test.use({ trace: 'off' });

const LINES = 5000;

/** What a key made the browser do, until two frames later. */
interface Work {
  /** Lines that were drawn or taken away. */
  lines: number;
  /** Elements whose style was asked for. Chromium has one for each line of a text area. */
  restyled: number;
}

interface TraceEvent {
  name: string;
  args?: { elementCount?: number };
}

async function press(page: Page, session: CDPSession, key: string): Promise<Work> {
  const events: TraceEvent[] = [];
  const take = ({ value }: { value: object[] }) => events.push(...(value as TraceEvent[]));
  session.on('Tracing.dataCollected', take);
  const counter = await page.locator('.code-lines').evaluateHandle((lines) => {
    const counter = { lines: 0 };
    new MutationObserver((changes) => {
      for (const { addedNodes, removedNodes } of changes) {
        counter.lines += addedNodes.length + removedNodes.length;
      }
    }).observe(lines, { childList: true });
    return counter;
  });
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['devtools.timeline'], excludedCategories: ['*'] },
  });
  await page.keyboard.press(key);
  const lines = await counter.evaluate(async (counter) => {
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return counter.lines;
  });
  const complete = new Promise((done) => session.once('Tracing.tracingComplete', done));
  await session.send('Tracing.end');
  await complete;
  session.off('Tracing.dataCollected', take);
  const styles = events.filter((event) => event.name === 'UpdateLayoutTree');
  expect(styles.length, 'the trace has what the browser did').toBeGreaterThan(0);
  return { lines, restyled: styles.reduce((sum, event) => sum + (event.args?.elementCount ?? 0), 0) };
}

test('a key draws its own lines anew, and no others', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const text = longProgram(LINES);
  await putCode(page, text);
  const session = await page.context().newCDPSession(page);
  await putCaret(page, text.indexOf('\n', text.length / 2));
  await press(page, session, 'w');
  for (const key of ['x', 'Enter', 'y', 'Backspace', 'Backspace']) {
    const { lines, restyled } = await press(page, session, key);
    expect(lines, `lines at ${key}`).toBeGreaterThan(0);
    expect(lines, `lines at ${key}`).toBeLessThan(4);
    expect(restyled, `elements at ${key}`).toBeLessThan(LINES / 10);
  }
  // Only what is in view is drawn, and at the end that is the end.
  expect(await page.locator('.code-lines > div').count()).toBeLessThan(200);
  await field(page, 'code').press('Control+End');
  await expect(page.locator('.code-lines > div').last()).toHaveText(`value_${LINES - 1} = f"{index}" # line ${LINES - 1}`);
  await expect(page.locator('.code-lines > div').last()).toBeInViewport();
});
