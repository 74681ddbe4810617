// What a key takes in the code editor and in a bare text area of the same browser with the same text, in turns, so that what
// the browser itself takes is known. Two things: the work of the page's thread, which has to be less than a frame if none is
// to be missed, and the time to the frame that shows the key, which also has the wait for the next frame in it.

import type { CDPSession, Page } from '@playwright/test';

import { longProgram, putCaret, putCode } from '../../support/long-code.ts';
import { openForm } from '../../support/pages.ts';
import { test } from '../../support/test.ts';

// A trace takes the whole page down again and again: most of what is measured would be that.
test.use({ trace: 'off' });

/** Letters and what changes the colours of a line; what moves all lines that come after; and what does nothing. */
const KEYS = { letter: ['x', 'y', 'z', '"'], line: ['Enter', 'Backspace'], none: ['Shift'] };

type Kind = keyof typeof KEYS;

const BARE =
  '<textarea id="code" wrap="off" spellcheck="false" rows="24" style="width: 40rem; font: 0.875rem/1.5 monospace"></textarea>';

/** How often each key is pressed at each place. */
const ROUNDS = 3;

interface Key {
  /** Time that the page's thread was at work, in milliseconds. To measure it is work too: as much as for no key at all. */
  work: number;
  /** Time to the frame that shows it, in milliseconds. */
  shown: number;
}

/** A text area to type into. */
class Area {
  private readonly keys: Record<Kind, Key[]> = { letter: [], line: [], none: [] };

  private constructor(
    readonly page: Page,
    private readonly session: CDPSession,
  ) {}

  static async of(page: Page, text: string): Promise<Area> {
    await putCode(page, text);
    const session = await page.context().newCDPSession(page);
    // Time of the thread, not of the clock: what others do on the machine does not count.
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    return new Area(page, session);
  }

  async measureAt(place: number): Promise<void> {
    await this.page.bringToFront();
    await putCaret(this.page, place);
    // The first keys after a jump do not count: the browser shows another part of the text for them.
    await this.press('w');
    await this.press('Backspace');
    for (const kind of ['letter', 'line', 'none'] as const) {
      for (const key of KEYS[kind]) {
        this.keys[kind].push(await this.press(key));
      }
    }
  }

  /** What keys of a kind take: the work without that of measuring. */
  times(kind: Kind, part: keyof Key): number[] {
    const measuring = part === 'work' ? middle(this.keys.none.map((key) => key.work)) : 0;
    return this.keys[kind].map((key) => key[part] - measuring);
  }

  private async press(key: string): Promise<Key> {
    const before = await this.work();
    const frame = await this.page.evaluateHandle(() => ({
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
    await this.page.keyboard.press(key);
    const shown = await frame.evaluate(({ shown }) => shown);
    // So that nothing of it is left for the next one.
    await this.page.evaluate(() => new Promise((done) => requestIdleCallback(done)));
    return { work: (await this.work()) - before, shown };
  }

  private async work(): Promise<number> {
    const { metrics } = await this.session.send('Performance.getMetrics');
    return 1000 * (metrics.find((metric) => metric.name === 'TaskDuration')?.value ?? 0);
  }
}

function middle(times: number[]): number {
  return times.toSorted((one, other) => one - other)[times.length >> 1] ?? 0;
}

for (const lines of [200, 5000]) {
  test(`keys in ${lines} lines`, async ({ page, context, problems }) => {
    test.setTimeout(180_000);
    problems.expect(/^dialog: beforeunload/);
    const text = longProgram(lines);
    const blank = await context.newPage();
    await blank.setContent(BARE);
    const bare = await Area.of(blank, text);
    await openForm(page);
    const editor = await Area.of(page, text);
    for (const place of [0, text.indexOf('\n', text.length / 2), 2 * text.length]) {
      for (let round = 0; round < ROUNDS; round += 1) {
        await bare.measureAt(place);
        await editor.measureAt(place);
      }
    }
    for (const [kind, name] of [['letter', 'a letter'], ['line', 'a line more or less']] as const) {
      for (const [part, what] of [['work', 'work of the page'], ['shown', 'to the frame that shows it']] as const) {
        const ours = editor.times(kind, part);
        const [one, other] = [middle(ours), middle(bare.times(kind, part))];
        console.log(
          `keystroke: ${lines} lines, ${name}, ${what}: editor ${one.toFixed(1)} ms, bare text area ${other.toFixed(1)} ms: ` +
            `difference ${(one - other).toFixed(1)} ms, ratio ${(one / other).toFixed(2)}; most ${Math.max(...ours).toFixed(1)} ms`,
        );
      }
    }
  });
}
