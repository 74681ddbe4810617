// The graph of the flow form as an editor: by pointer, by keys, undone, and kept.

import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';

import { expectEditor, save, saveAndRun, expectPhase, stepForm, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const NAMES = ['A', 'B', 'C', 'D'];

function step(page: Page, name: string): Locator {
  return page.locator('#flow-graph').getByRole('link', { name: new RegExp(`^${name}\\.`) });
}

/** The part of the form that is shown: that of one step. */
function shown(page: Page): Locator {
  return page.locator('.step-forms > li:not([hidden])');
}

function nameField(page: Page): Locator {
  return shown(page).getByLabel('Step name', { exact: true });
}

function codeField(page: Page): Locator {
  return shown(page).getByLabel('Python code', { exact: true });
}

function words(page: Page): Locator {
  return page.locator('#flow-words');
}

function edges(page: Page): Locator {
  return page.locator('#flow-graph .flow-edge');
}

/** Which steps each step runs after, as the form says. */
async function after(page: Page): Promise<string[]> {
  return await page.locator('.step-forms > li').evaluateAll((parts) =>
    parts.map((part) => {
      const ticked = [...part.querySelectorAll<HTMLInputElement>('[name$=-runs_after]:checked')];
      return ticked.map((box) => box.parentElement?.textContent?.trim()).join(' ');
    }),
  );
}

/** Opens a new flow with steps A to D, made by the editor's button and typed over. */
async function fourSteps(page: Page, name: string): Promise<void> {
  await page.goto('/flows/new');
  await expectEditor(page);
  await page.getByLabel('Name', { exact: true }).fill(name);
  for (const [index, name] of NAMES.entries()) {
    if (index > 0) {
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await expect(page.locator('#flow-graph').getByRole('link')).toHaveCount(index + 1);
      await expect(nameField(page)).toBeFocused();
    }
    await nameField(page).fill(name);
    await codeField(page).fill(`print("${name}")`);
  }
  await step(page, 'A').click();
  await expect(step(page, 'D')).toBeVisible();
}

async function middle(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (box === null) {
    throw new Error('It is not there.');
  }
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Drags from the middle of an element to a point, in several moves as a hand does. */
async function drag(page: Page, from: Locator, to: { x: number; y: number }): Promise<void> {
  const start = await middle(from);
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move((start.x + to.x) / 2, (start.y + to.y) / 2, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
}

async function connect(page: Page, from: string, into: string): Promise<void> {
  // So that both are seen.
  await page.getByRole('button', { name: 'Fit', exact: true }).click();
  await drag(page, step(page, from).locator('.flow-handle'), await middle(step(page, into).locator('rect')));
}

const DIAMOND = ['', 'A', 'A', 'B C'];

test('a diamond is drawn with the pointer, a circle is refused, and all of it can be undone', async ({ page }) => {
  await fourSteps(page, uniqueName('Drawn'));
  for (const [from, into] of [['A', 'B'], ['A', 'C'], ['B', 'D'], ['C', 'D']] as const) {
    await connect(page, from, into);
    await expect(words(page)).toHaveText(`Connected: ${into} runs after ${from}.`);
  }
  expect(await after(page)).toEqual(DIAMOND);
  await expect(edges(page)).toHaveCount(4);
  await connect(page, 'D', 'A');
  await expect(words(page)).toContainText('These steps wait for each other in a circle: A → ');
  await expect(words(page)).toContainText('→ D → A.');
  expect(await after(page)).toEqual(DIAMOND);
  await connect(page, 'A', 'B');
  await expect(words(page)).toContainText('B runs after A already.');

  for (const count of [3, 2, 1, 0]) {
    await page.keyboard.press('Control+z');
    await expect(edges(page)).toHaveCount(count);
  }
  for (const count of [1, 2, 3, 4]) {
    await page.keyboard.press('Control+Shift+Z');
    await expect(edges(page)).toHaveCount(count);
  }
  expect(await after(page)).toEqual(DIAMOND);

  // A connection is chosen by a click on its line, and removed.
  await edges(page).first().locator('.flow-line').click();
  await expect(words(page)).toContainText('chosen');
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(edges(page)).toHaveCount(3);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(edges(page)).toHaveCount(4);

  const run = await saveAndRun(page);
  await expectPhase(page, 'Succeeded');
  await page.goto(`${run.task}/edit`);
  await expectEditor(page);
  expect(await after(page)).toEqual(DIAMOND);
});

test('a diamond is built by keys alone, and every step of it is said', async ({ page }) => {
  await page.goto('/flows/new');
  await expectEditor(page);
  await page.getByLabel('Name', { exact: true }).fill(uniqueName('Keys'));
  await codeField(page).fill('print(1)');
  const links = page.locator('#flow-graph').getByRole('link');
  await links.first().focus();
  for (const count of [2, 3, 4]) {
    await page.keyboard.press(count === 2 ? 'a' : 'd');
    await expect(links).toHaveCount(count);
    await expect(nameField(page)).toBeFocused();
    if (count === 2) {
      await codeField(page).fill('print(2)');
    }
    await page.locator(`#flow-step-${count - 1}`).focus();
  }
  await expect(words(page)).toHaveText('The flow has 4 steps.');
  const on = (index: number) => page.locator(`#flow-step-${index}`);
  // All stand in one column: 1 → 2 and 3, which are then to its right.
  await page.keyboard.press('Home');
  await expect(on(0)).toBeFocused();
  await page.keyboard.press('c');
  await expect(words(page)).toContainText('Which step runs after Step 1?');
  await page.keyboard.press('ArrowDown');
  await expect(words(page)).toContainText('Step 1 → Step 2?');
  await page.keyboard.press('Enter');
  await expect(words(page)).toHaveText('Connected: Step 2 runs after Step 1.');
  for (const [from, into] of [[0, 2], [1, 3], [2, 3]] as const) {
    await on(from).focus();
    await page.keyboard.press('c');
    for (let presses = 0; presses < 8 && !(await on(into).evaluate((link) => link === document.activeElement)); presses += 1) {
      const [here, there] = [await middle(page.locator(':focus')), await middle(on(into))];
      const isAside = Math.abs(there.x - here.x) > 20;
      await page.keyboard.press(isAside ? (there.x > here.x ? 'ArrowRight' : 'ArrowLeft') : there.y > here.y ? 'ArrowDown' : 'ArrowUp');
    }
    await page.keyboard.press('Enter');
    await expect(words(page)).toHaveText(`Connected: Step ${into + 1} runs after Step ${from + 1}.`);
  }
  expect(await after(page)).toEqual(['', 'Step 1', 'Step 1', 'Step 2 Step 3']);

  await on(3).focus();
  await page.keyboard.press('c');
  await on(0).focus();
  await page.keyboard.press('Enter');
  await expect(words(page)).toContainText('in a circle: Step 1 →');

  await on(3).focus();
  await page.keyboard.press('e');
  await expect(words(page)).toContainText('Connection Step 2 → Step 4 chosen.');
  await page.keyboard.press('e');
  await expect(words(page)).toContainText('Connection Step 3 → Step 4 chosen.');
  await page.keyboard.press('Delete');
  await expect(words(page)).toHaveText('Removed: Step 4 no longer runs after Step 3.');
  await page.keyboard.press('Control+z');
  await expect(edges(page)).toHaveCount(4);

  // A step that is removed comes back with all that was typed, and what was typed elsewhere since stays.
  await page.keyboard.press('Delete');
  await expect(links).toHaveCount(3);
  await page.locator('#flow-step-0').click();
  await codeField(page).fill('print("since")');
  await on(0).focus();
  await page.keyboard.press('Control+z');
  await expect(links).toHaveCount(4);
  await expect(edges(page)).toHaveCount(4);
  await expect((await stepForm(page, 3)).getByLabel('Python code', { exact: true })).toHaveValue('print(2)');
  await expect((await stepForm(page, 0)).getByLabel('Python code', { exact: true })).toHaveValue('print("since")');
  await save(page);
  await expect(page.getByRole('status')).toHaveText('Saved.');
});

test('what was typed can still be undone after steps were added and removed', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await fourSteps(page, uniqueName('Kept'));
  await step(page, 'C').click();
  await codeField(page).press('ControlOrMeta+End');
  await page.keyboard.type(' # typed');
  const area = await codeField(page).elementHandle();
  await step(page, 'A').focus();
  await page.keyboard.press('d');
  await expect(page.locator('#flow-graph').getByRole('link')).toHaveCount(5);
  await expect(nameField(page)).toBeFocused();
  await step(page, 'B').focus();
  await page.keyboard.press('Delete');
  await expect(page.locator('#flow-graph').getByRole('link')).toHaveCount(4);
  await step(page, 'C').click();
  await expect(codeField(page)).toHaveValue('print("C") # typed');
  // The same control: its text, caret and undo are the browser's.
  expect(await codeField(page).evaluate((area, before) => area === before, area)).toBe(true);
  await codeField(page).focus();
  await page.keyboard.press('ControlOrMeta+z');
  await expect(codeField(page)).not.toHaveValue(/typed/);
});

test('a step that was moved is there again after saving, until the layout is automatic again', async ({ page }) => {
  await fourSteps(page, uniqueName('Moved'));
  await connect(page, 'A', 'B');
  await expect(edges(page)).toHaveCount(1);
  const automatic = await step(page, 'B').getAttribute('transform');
  const start = await middle(step(page, 'B').locator('rect'));
  await drag(page, step(page, 'B').locator('rect'), { x: start.x - 40, y: start.y + 100 });
  await expect(words(page)).toHaveText('Moved B.');
  const moved = await step(page, 'B').getAttribute('transform');
  expect(moved).not.toBe(automatic);
  await step(page, 'C').focus();
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(words(page)).toHaveText('Moved C.');
  const places = async () => await page.locator('#flow-graph .flow-step').evaluateAll((links) => links.map((link) => link.getAttribute('transform')));
  const kept = await places();
  await page.keyboard.press('Control+z');
  expect((await places())[2], 'both moves at once').not.toBe(kept[2]);
  await page.keyboard.press('Control+y');
  expect(await places()).toEqual(kept);
  const run = await saveAndRun(page);
  const onRunPage = page.locator('#run-graph .flow-step');
  await expect(onRunPage.nth(1)).toHaveAttribute('transform', moved ?? '');
  await page.goto(`${run.task}/edit`);
  await expectEditor(page);
  expect(await places()).toEqual(kept);
  await page.getByRole('button', { name: 'Automatic layout' }).click();
  await expect(words(page)).toHaveText('The layout is automatic again.');
  await expect(step(page, 'B')).toHaveAttribute('transform', automatic ?? '');
  await save(page);
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await expectEditor(page);
  await expect(step(page, 'B')).toHaveAttribute('transform', automatic ?? '');
});

test('the graph is seen whole, larger, and smaller, and one is asked before leaving', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await fourSteps(page, uniqueName('Seen'));
  const width = async () => Number(await page.locator('#flow-graph > svg').getAttribute('width'));
  const whole = await width();
  await page.keyboard.press('+');
  expect(await width()).toBeGreaterThan(whole);
  await page.keyboard.press('0');
  expect(await width()).toBe(whole);
  await page.getByRole('button', { name: 'Smaller', exact: true }).click();
  expect(await width()).toBeLessThan(whole);
  let asked = 0;
  page.on('dialog', () => {
    asked += 1;
  });
  await page.getByRole('link', { name: 'Cancel' }).click();
  await expect(page).toHaveURL(/\/flows$/);
  expect(asked).toBe(1);
});

for (const [colorScheme, width] of [['light', 1440], ['dark', 1440], ['light', 360]] as const) {
  test(`axe finds nothing in the editor (${colorScheme}, ${width} px)`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    await fourSteps(page, uniqueName('Looks'));
    await step(page, 'A').focus();
    await page.keyboard.press('c');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.press('e');
    await page.getByText('Keys and pointer').click();
    await page.screenshot({ path: test.info().outputPath('editor.png'), fullPage: true });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
    const wide = await page.evaluate(() => (document.scrollingElement?.scrollWidth ?? 0) - document.documentElement.clientWidth);
    expect(wide).toBeLessThanOrEqual(0);
  });
}
