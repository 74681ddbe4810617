// What the script adds to a log: groups that come live, matches gone through on the page, and lines that are chosen.

import type { Page } from '@playwright/test';

import { expectLive, expectPhase, line, log, makeRun, outputLines, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const found = (page: Page) => page.getByRole('navigation', { name: 'Matches' }).getByRole('status');

test('groups come live as the server shows them later', async ({ page, request, gates }) => {
  const code = [
    gates.code,
    'print("first", flush=True); wait("on")',
    'print("::group::Outer"); print("::group::Inner"); print("deep", flush=True); wait("fold")',
    'print("::endgroup::"); print("::error::x"); print("::endgroup::", flush=True); wait("bars")',
    'up = chr(27) + "[2A"; print("a 1"); print("b 1", flush=True); wait("redraw"); print(up + "a 2"); print("b 2", flush=True)',
    'wait("last"); print("--- Last"); print("end", flush=True); wait("end"); print("--- Very last")',
  ].join('\n');
  const run = await makeRun(request, { name: uniqueName('Live groups'), code });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(['first']);
  gates.open('on');
  await expect(log(page).getByText('deep', { exact: true })).toBeVisible();
  gates.open('fold');
  await expect(log(page).getByText('Error: x')).toBeVisible();
  await expect(log(page).getByText('deep', { exact: true }), 'what has ended is folded').toBeHidden();
  gates.open('bars');
  await expect(log(page).getByText('b 1', { exact: true })).toBeVisible();
  gates.open('redraw');
  await expect(log(page).getByText('b 2', { exact: true })).toBeVisible();
  await expect(log(page).getByText('a 1', { exact: true })).toHaveCount(0);
  gates.open('last');
  await expect(log(page).getByText('end', { exact: true })).toBeVisible();
  // Who comes in the middle goes on in the groups that the server wrote.
  await page.reload();
  gates.open('end');
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#log-words', { hasText: 'End of the log.' })).toBeVisible();
  await expect(page.locator('#log-lines [data-group]')).toHaveCount(0);
  const live = await page.locator('#log-lines').innerHTML();
  await page.reload();
  expect(await page.locator('#log-lines').innerHTML()).toBe(live);
});

test('all groups are opened and folded at once, and those that come later', async ({ page, request, gates }) => {
  const group = (name: string, line: string) => `print("::group::${name}"); print("${line}"); print("::endgroup::", flush=True)`;
  const code = [
    gates.code,
    'print("first", flush=True); wait("one")',
    `${group('One', 'in one')}; wait("two")`,
    `${group('Two', 'in two')}; wait("three")`,
    group('Three', '::error::in three'),
  ].join('\n');
  const run = await makeRun(request, { name: uniqueName('All groups'), code });
  await page.goto(run.path);
  await expect(outputLines(page)).toHaveText(['first']);
  await expectLive(page);
  const choice = page.getByRole('group', { name: 'Groups' });
  const shown = (text: string) => log(page).getByText(text, { exact: true });
  const top = async () => (await log(page).boundingBox())?.y;
  await expect(choice, 'there is no group yet').toBeHidden();
  const before = await top();
  gates.open('one');
  await expect(choice).toBeVisible();
  expect(await top(), 'nothing moves').toBe(before);
  await expect(shown('One')).toBeVisible();
  await expect(page.locator('#log-lines [data-group]'), 'it has ended').toHaveCount(0);
  await expect(shown('in one')).toBeHidden();
  await page.evaluate(() => Object.assign(window, { isMarked: true }));
  const kept = () => page.waitForResponse((response) => response.url().endsWith('/preferences'));
  const opened = kept();
  await page.keyboard.press('o');
  await opened;
  await expect(shown('in one')).toBeVisible();
  await expect(choice.getByRole('button', { pressed: true })).toHaveAccessibleName('Open all groups');
  gates.open('two');
  await expect(shown('in two')).toBeVisible();
  await expect(page.locator('#log-lines [data-group]')).toHaveCount(0);
  await expect(shown('in two'), 'a group that ends is not folded').toBeVisible();
  const folded = kept();
  await choice.getByRole('button', { name: 'Fold all groups' }).click();
  await folded;
  await expect(shown('in one')).toBeHidden();
  await expect(shown('in two')).toBeHidden();
  gates.open('three');
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#log-words', { hasText: 'End of the log.' })).toBeVisible();
  await expect(shown('Three')).toBeVisible();
  await expect(shown('Error: in three')).toBeHidden();
  expect(await page.evaluate(() => 'isMarked' in window)).toBe(true);
  const live = await page.locator('#log-lines').innerHTML();
  await page.reload();
  expect(await page.locator('#log-lines').innerHTML(), 'the server knows it').toBe(live);
  await expectLive(page);
  await page.keyboard.press('.');
  await page.getByRole('combobox', { name: 'Find a command' }).fill('open all');
  await page.keyboard.press('Enter');
  await expect(shown('Error: in three')).toBeVisible();
  await expect(shown('in two')).toBeVisible();
});

test('keys go through the matches of a search without loading the page', async ({ page, request }) => {
  test.setTimeout(120_000);
  const code = 'for n in range(1, 5001): print("::group::G" if n == 200 else "::endgroup::" if n == 400 else "needle" if n % 300 == 0 or n == 4999 else "hay")';
  const run = await makeRun(request, { name: uniqueName('Keys'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await expectLive(page);
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox', { name: 'Search the log' })).toBeFocused();
  await page.keyboard.type('needle');
  await page.keyboard.press('Enter');
  const said = found(page);
  await expect(said).toHaveText('1 of 17 lines with a match');
  await expect(line(page, 300), 'its group is open').toBeInViewport();
  await expectLive(page);
  await page.evaluate(() => Object.assign(window, { isMarked: true }));
  await page.keyboard.press('n');
  await expect(said).toHaveText('2 of 17 lines with a match');
  await expect(line(page, 600)).toBeInViewport();
  await expect(page).toHaveURL(/line=600#match$/);
  await page.keyboard.press('N');
  await expect(said).toHaveText('1 of 17 lines with a match');
  expect(await page.evaluate(() => 'isMarked' in window)).toBe(true);
  // The next one but one is not on the page.
  await page.keyboard.press('n');
  await page.keyboard.press('n');
  await expect(said).toHaveText('3 of 17 lines with a match');
  await expect(line(page, 900)).toBeInViewport();
  // That may have been another page, whose keys come to life with its scripts.
  await expectLive(page);
  await page.getByRole('searchbox', { name: 'Search the log' }).focus();
  await page.keyboard.press('Enter');
  await expect(said).toHaveText('4 of 17 lines with a match');
  await expectLive(page);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(new RegExp(`${run.path}(#log)?$`));
});

test('Enter in the search field does the same before the page is live and after', async ({ page, request }) => {
  const code = 'for n in range(1, 2001): print("needle" if n % 300 == 0 else "hay")';
  const run = await makeRun(request, { name: uniqueName('Early'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  const field = page.getByRole('searchbox', { name: 'Search the log' });
  const seen = async () => {
    await expect(page.locator('#match')).toBeFocused();
    return { said: await found(page).textContent(), at: await page.locator('.line.is-current').getAttribute('id') };
  };
  const outcomes = [];
  for (const isLive of [false, true]) {
    if (!isLive) {
      // Never answered, and given up when the page is left.
      await page.route('**/*.wasm', () => {});
    }
    const ready = async () => {
      if (isLive) {
        await expectLive(page);
      }
    };
    await page.goto(run.path);
    await ready();
    await field.fill('needle');
    await field.press('Enter');
    await expect(found(page)).toHaveText('1 of 6 lines with a match');
    const first = await seen();
    await ready();
    // Sent again as it is, it goes on.
    await field.press('Enter');
    await expect(found(page)).toHaveText('2 of 6 lines with a match');
    const second = await seen();
    await ready();
    // Changed, it begins anew.
    await field.fill('edle');
    await field.press('Enter');
    await expect(found(page)).toHaveText('1 of 6 lines with a match');
    outcomes.push([first, second, await seen()]);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  }
  expect(outcomes[0]).toEqual(outcomes[1]);
  await expectLive(page);
  await page.keyboard.press('Enter');
  await expect(found(page), 'a key at the match').toHaveText('2 of 6 lines with a match');
});

test('Shift and Enter in the field go back', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Back'), code: 'for n in range(9): print("needle", n)' });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.goto(`${run.path}?q=needle&line=5`);
  await expectLive(page);
  await page.getByRole('searchbox', { name: 'Search the log' }).focus();
  await page.keyboard.press('Shift+Enter');
  await expect(found(page)).toHaveText('4 of 9 lines with a match');
});

test('lines are chosen by clicks, and copied', async ({ page, request, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const code = 'import sys\nfor n in range(1, 41): print("line", n, file=sys.stderr if n == 11 else sys.stdout)';
  const run = await makeRun(request, { name: uniqueName('Chosen'), code });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await expectLive(page);
  const number = (text: string) => log(page).getByRole('link', { name: text, exact: true });
  await number('10').click();
  await expect(page).toHaveURL(`${run.path}#L10`);
  await number('12').click({ modifiers: ['Shift'] });
  await expect(page).toHaveURL(`${run.path}#L10-L12`);
  await expect(page.locator('#log-lines .is-selected')).toHaveCount(3);
  await page.getByRole('button', { name: 'Copy 3 lines' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('line 10\nline 11\nline 12\n');
  await page.reload();
  await expect(page.locator('#log-lines .is-selected')).toHaveCount(3);
});
