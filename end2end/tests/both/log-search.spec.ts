// Searching a log: the same with and without JavaScript, since all of it is links and a form.

import { expectPhase, field, line, log, makeRun, outputLines, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const CODE = `
import sys
for n in range(1, 4001):
    if n % 1000 == 0:
        print("Needle", n, file=sys.stderr)
    else:
        print("needle" if n == 2500 else "hay", n)
`;

test('a log is searched to its end, and links lead from match to match', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Searched'), code: CODE });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('NEEDLE');
  await page.getByRole('searchbox', { name: 'Search the log' }).press('Enter');
  await expect(page).toHaveURL(/\?q=NEEDLE#match$/);
  await expect(page.locator('#match')).toBeFocused();
  const matches = page.getByRole('navigation', { name: 'Matches' });
  await expect(matches.getByRole('status')).toHaveText('1 of 5 lines with a match');
  await expect(log(page).getByText('Needle', { exact: true })).toBeInViewport();
  await expect(line(page, 1000).locator('mark')).toHaveText('Needle');

  await matches.getByRole('link', { name: 'Next', exact: false }).first().click();
  await expect(matches.getByRole('status')).toHaveText('2 of 5 lines with a match');
  await expect(line(page, 2000)).toBeInViewport();
  await matches.getByRole('link', { name: 'Previous' }).click();
  await expect(matches.getByRole('status')).toHaveText('1 of 5 lines with a match');

  await matches.getByRole('link', { name: 'Only standard error' }).click();
  await expect(matches.getByRole('status')).toHaveText('1 of 4 lines with a match');
  await matches.getByRole('link', { name: 'Only matches' }).click();
  await expect(page.locator('#log-lines .line')).toHaveCount(4);
  await expect(outputLines(page)).toHaveCount(0);
  await log(page).getByRole('link', { name: '3000', exact: true }).click();
  await expect(matches.getByRole('status')).toHaveText('3 of 4 lines with a match');
  await expect(line(page, 2999)).toBeVisible();

  await matches.getByRole('link', { name: 'End the search' }).click();
  await expect(page).toHaveURL(new RegExp(`${run.path}(#log)?$`));
  await expect(line(page, 4000)).toBeVisible();
  await page.getByRole('link', { name: 'Errors', exact: true }).click();
  await expect(matches.getByRole('status')).toHaveText('1 of 4 lines of standard error');
});

test('a run beside its code is searched and gone through there', async ({ page, request }) => {
  const run = await makeRun(request, { name: uniqueName('Beside'), code: CODE });
  await page.goto(run.path);
  await expectPhase(page, 'Succeeded');
  const beside = (rest: string) => new RegExp(`${run.task}\\?run=1${rest}$`);
  const matches = page.getByRole('navigation', { name: 'Matches' });
  const found = matches.getByRole('status');
  await page.goto(run.task);
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('needle');
  await page.getByRole('searchbox', { name: 'Search the log' }).press('Enter');
  await expect(found).toHaveText('1 of 5 lines with a match');
  await expect(page).toHaveURL(beside('&q=needle#match'));
  await expect(line(page, 1000)).toBeInViewport();
  await expect(page.locator('#match')).toBeFocused();
  await matches.getByRole('link', { name: 'Next', exact: false }).first().click();
  await expect(found).toHaveText('2 of 5 lines with a match');
  await matches.getByRole('link', { name: 'Only matches' }).click();
  await expect(page.locator('#log-lines .line')).toHaveCount(4);
  await log(page).getByRole('link', { name: '3000', exact: true }).click();
  await expect(found).toHaveText('4 of 5 lines with a match');
  await expect(page).toHaveURL(beside('&q=needle&line=3000#match'));
  await page.goBack();
  await expect(page.locator('#log-lines .line')).toHaveCount(4);
  await matches.getByRole('link', { name: 'End the search' }).click();
  await expect(page).toHaveURL(beside('#log'));
  await expect(line(page, 4000)).toBeVisible();

  await page.getByRole('link', { name: 'Show earlier lines' }).click();
  await expect(page).toHaveURL(beside('&before=3001#log'));
  await expect(line(page, 3000)).toBeVisible();
  await page.getByRole('textbox', { name: 'Line', exact: true }).fill('7');
  await page.getByRole('button', { name: 'Go', exact: true }).click();
  await expect(page).toHaveURL(beside('&line=7#here'));
  await expect(line(page, 7)).toBeInViewport();
  await log(page).getByRole('link', { name: '9', exact: true }).click();
  await expect(page).toHaveURL(beside('(&lines=9)?#L9'));
  await expect(field(page, 'code')).toHaveValue(CODE);
});

test('what preparing printed is folded away, and opened by a search', async ({ page, request, ownServer }) => {
  const code = 'import six\nprint("ready")';
  const run = await makeRun(request, { name: uniqueName('Prepared'), code, packages: 'six==1.16.0' }, ownServer.url);
  await page.goto(ownServer.url + run.path);
  await expectPhase(page, 'Succeeded');
  await page.reload();
  await expect(log(page).getByText(/^Prepared in .+ lines?$/)).toBeVisible();
  await expect(log(page).getByText('ready', { exact: true })).toBeVisible();
  await expect(line(page, 1)).toBeHidden();
  await page.goto(`${ownServer.url}${run.path}?q=six`);
  await expect(log(page).locator('mark').first()).toBeVisible();
});
