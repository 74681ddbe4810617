import type { Page } from '@playwright/test';

import { expectForm, expectPhase, expectRunShown, field, fill, log, makeRun, makeTask, openForm, outputLines, save, select, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('Tab and Enter indent the code, and undo takes that back', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const code = field(page, 'code');
  await code.click();
  await page.keyboard.type('if True:');
  await page.keyboard.press('Enter');
  await page.keyboard.type('for n in "\u{1f680}":');
  await page.keyboard.press('Enter');
  await page.keyboard.type('print(n)');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.type('a');
  await page.keyboard.press('Tab');
  await page.keyboard.type('= 1');
  const typed = 'if True:\n    for n in "\u{1f680}":\n        print(n)\na   = 1';
  await expect(code).toHaveValue(typed);

  // From within the second line to within the third.
  await select(page, 20, 38);
  await page.keyboard.press('Tab');
  const indented = 'if True:\n        for n in "\u{1f680}":\n            print(n)\na   = 1';
  await expect(code).toHaveValue(indented);
  await page.keyboard.press('Shift+Tab');
  await expect(code).toHaveValue(typed);
  await page.keyboard.press('Control+z');
  await expect(code).toHaveValue(indented);
  await page.keyboard.press('Control+z');
  await expect(code).toHaveValue(typed);
});

test('nobody is caught in the code: after Escape, Tab leaves it', async ({ page }) => {
  await openForm(page);
  const code = field(page, 'code');
  await code.focus();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Shift+Tab');
  await expect(field(page, 'name')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(code).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(code).not.toBeFocused();
  await expect(page.getByRole('main').locator(':focus')).toHaveCount(1);
  await expect(code).toHaveValue('');
});

test('Ctrl+Enter saves and runs, from any field', async ({ page }) => {
  for (const from of ['code', 'name'] as const) {
    await openForm(page);
    await fill(page, { name: uniqueName('By keys'), code: 'print("here")' });
    await field(page, from).click();
    await page.keyboard.press('Control+Enter');
    await expectRunShown(page, 1);
    await expectPhase(page, 'Succeeded');
    await expect(outputLines(page)).toHaveText(['here']);
  }
});

test('one is asked before leaving what was typed, and what was typed is there again', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const draft = { name: 'Kept', code: 'print("kept")', packages: 'six', environment: 'A=1' };
  await fill(page, draft);
  await field(page, 'code').click();
  const asked: string[] = [];
  page.on('dialog', (dialog) => asked.push(dialog.type()));

  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Dark', exact: true })).toHaveAttribute('aria-pressed', 'true');
  expect(asked).toEqual(['beforeunload']);
  await page.goBack();
  await expect(field(page, 'code')).toHaveAccessibleDescription(/Ctrl\+Enter/);
  await expectForm(page, draft);

  await field(page, 'name').click();
  await page.getByRole('link', { name: 'Tasks', exact: true }).click();
  await expect(page).toHaveURL(/\/tasks$/);
  expect(asked).toEqual(['beforeunload', 'beforeunload']);
});

test('nobody is asked who changed nothing, or sends the form', async ({ page, request }) => {
  const task = await makeTask(request, { name: uniqueName('Unasked'), code: 'print(1)' });
  const asked: string[] = [];
  page.on('dialog', (dialog) => asked.push(dialog.message()));
  await openForm(page, `${task}/edit`);
  await field(page, 'code').click();
  await page.getByRole('link', { name: 'Tasks', exact: true }).click();
  await expect(page).toHaveURL(/\/tasks$/);

  await openForm(page, `${task}/edit`);
  await field(page, 'code').click();
  await page.keyboard.type('#');
  await save(page);
  await expect(page).toHaveURL(new RegExp(`${task}$`));
  expect(asked).toEqual([]);
});

/** The text as the layer of colours shows it. */
async function shownLines(page: Page): Promise<string[]> {
  return await page.locator('.code-lines > div').allTextContents();
}

test('code is coloured while one types, and the colours lie on the text', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const code = field(page, 'code');
  await code.click();
  await page.keyboard.type('def total(n): # all\tof it');
  await page.keyboard.press('Enter');
  await page.keyboard.type(`return f"{sum(n):>4} ${'wide '.repeat(40)}"`);
  await expect(page.locator('.code-lines .py-keyword')).toHaveText(['def', 'return']);
  await expect(page.locator('.code-lines .py-comment')).toHaveText('# all\tof it');
  await expect.poll(async () => (await shownLines(page)).join('')).toBe(`${await code.inputValue()}\n`);
  await expect(page.locator('.code-numbers')).toHaveText(/^1\s2\s$/);

  // A copy of the text area's text, laid out as the browser does it, says where its letters are.
  const distances = await page.evaluate(() => {
    const area = document.querySelector<HTMLTextAreaElement>('#code');
    if (!area) throw new Error('no code');
    const style = getComputedStyle(area);
    const copy = document.createElement('div');
    for (const name of style) copy.style.setProperty(name, style.getPropertyValue(name));
    copy.textContent = area.value;
    copy.style.position = 'absolute';
    copy.style.top = '0';
    copy.style.left = '0';
    area.parentElement?.append(copy);
    const text = copy.firstChild;
    const lines = area.value.split('\n');
    const found: number[] = [];
    let start = 0;
    for (const [index, line] of lines.entries()) {
      for (const column of [0, 7, line.length - 1]) {
        const expected = document.createRange();
        expected.setStart(text as Node, start + column);
        expected.setEnd(text as Node, start + column + 1);
        const walker = document.createTreeWalker(
          document.querySelectorAll('.code-lines > div')[index] as Node, NodeFilter.SHOW_TEXT);
        let rest = column;
        while (walker.nextNode() && rest >= (walker.currentNode.textContent?.length ?? 0)) {
          rest -= walker.currentNode.textContent?.length ?? 0;
        }
        const seen = document.createRange();
        seen.setStart(walker.currentNode, rest);
        seen.setEnd(walker.currentNode, rest + 1);
        const [a, b] = [expected.getBoundingClientRect(), seen.getBoundingClientRect()];
        found.push(Math.abs(a.left - b.left), Math.abs(a.top - b.top));
      }
      start += line.length + 1;
    }
    copy.remove();
    return found;
  });
  expect(distances).toHaveLength(12);
  expect(Math.max(...distances)).toBeLessThan(0.5);
});

test('keys make comments, move and double lines, and take levels back', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const code = field(page, 'code');
  await code.click();
  await page.keyboard.type('f(');
  await page.keyboard.press('Enter');
  await page.keyboard.type('a)');
  await page.keyboard.press('Enter');
  await page.keyboard.type('b');
  await expect(code).toHaveValue('f(\n    a)\nb');
  await page.keyboard.press('Alt+ArrowUp');
  await expect(code).toHaveValue('f(\nb\n    a)');
  await page.keyboard.press('Alt+ArrowDown');
  await page.keyboard.press('Shift+Alt+ArrowDown');
  await expect(code).toHaveValue('f(\n    a)\nb\nb');
  await page.keyboard.press('Control+/');
  await expect(code).toHaveValue('f(\n    a)\nb\n# b');
  await page.keyboard.press('Control+/');
  await expect(code).toHaveValue('f(\n    a)\nb\nb');
  await page.keyboard.press('Home');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Backspace');
  await expect(code).toHaveValue('f(\n    a)\nb\n    b');
  for (let step = 0; step < 40 && (await code.inputValue()) !== ''; step += 1) {
    await page.keyboard.press('Control+z');
  }
  await expect(code).toHaveValue('');
});

test('brackets that belong together and the line of the caret are shown', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  await fill(page, { code: 'f(")",\n  [1])\n' });
  await field(page, 'code').focus();
  await select(page, 2);
  await expect(page.locator('.code-lines .is-bracket')).toHaveText(['(', ')']);
  await select(page, 0, 2);
  await expect(page.locator('.code-lines .is-bracket')).toHaveCount(0);
  const top = async (): Promise<number> => (await page.locator('.code-band').boundingBox())?.y ?? 0;
  const first = await top();
  await page.keyboard.press('Control+End');
  await expect.poll(top).toBeGreaterThan(first + 30);
});

test('Ctrl+F finds in the code, and once more is left to the browser', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  const lines = Array.from({ length: 300 }, (_, index) => `value_${index} = ${index}`);
  await fill(page, { code: lines.join('\n') });
  await field(page, 'code').focus();
  await select(page, 0);
  await page.keyboard.press('Control+f');
  const search = page.getByRole('textbox', { name: 'Find in the code' });
  await expect(search).toBeFocused();
  await page.keyboard.type('VALUE_29');
  const count = page.getByRole('search', { name: 'Find in the code' }).getByRole('status');
  await expect(count).toHaveText('1 of 11');
  await page.keyboard.press('Enter');
  await expect(count).toHaveText('2 of 11');
  await expect(page.locator('.code-lines .is-current')).toHaveText('value_29');
  await expect(page.locator('.code-lines .is-current')).toBeInViewport();
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.press('Shift+Enter');
  await expect(count).toHaveText('11 of 11');
  const isLeft = await search.evaluate((input) =>
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'f', ctrlKey: true, bubbles: true, cancelable: true })));
  expect(isLeft, 'the browser answers the second one').toBe(true);
  await page.keyboard.press('Escape');
  await expect(field(page, 'code')).toBeFocused();
  await expect(search).toBeHidden();
  expect(await field(page, 'code').evaluate((area) => (area as HTMLTextAreaElement).selectionStart)).toBe(lines.join('\n').lastIndexOf('value_299'));
});

test('a Python file that is dropped takes the place of the code, and undo brings it back', async ({ page, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  await openForm(page);
  await fill(page, { code: 'print("old")' });
  const drop = async (name: string): Promise<void> => {
    const transfer = await page.evaluateHandle((name) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['a = 1\r\nb = 2\r\n'], name));
      return transfer;
    }, name);
    await field(page, 'code').dispatchEvent('drop', { dataTransfer: transfer });
  };
  await drop('picture.png');
  await expect(page.getByText('picture.png was not taken')).toBeVisible();
  await expect(field(page, 'code')).toHaveValue('print("old")');
  await drop('program.py');
  await expect(field(page, 'code')).toHaveValue('a = 1\nb = 2\n');
  await page.keyboard.press('Control+z');
  await expect(field(page, 'code')).toHaveValue('print("old")');
});

test('a traceback leads to its line, which shows the error until it is changed', async ({ page, request, problems }) => {
  problems.expect(/^dialog: beforeunload/);
  const code = 'def f():\n    raise ValueError("no such day")\n\nf()\n';
  const run = await makeRun(request, { name: uniqueName('Traced'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Failed');
  const place = log(page).getByRole('link', { name: /line 2$/ });
  await place.click();
  await expect(page.locator('#code-L2')).toBeInViewport();
  await expect(page.locator('#code-L2')).toHaveText(/raise ValueError/);

  // Beside the form, the same line of the log leads into the editor.
  await openForm(page, run.task);
  await log(page).getByRole('link', { name: /line 2$/ }).click();
  await expect(field(page, 'code')).toBeFocused();
  await expect(page.locator('.code-error')).toHaveText('ValueError: no such day');
  await expect(page.getByText('Line 2: ValueError: no such day')).toBeVisible();
  await page.keyboard.type('# ');
  await expect(page.locator('.code-error')).toHaveCount(0);
  await expect(field(page, 'code')).toHaveValue(code.replace('raise', '# raise'));
});
