import { expectPhase, makeRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('runs of all tasks are found by filters that add up', async ({ page, request }) => {
  const [good, bad] = [uniqueName('Listed good'), uniqueName('Listed bad')];
  const succeeded = await makeRun(request, { name: good, code: 'print(1)' });
  const failed = await makeRun(request, { name: bad, code: 'raise SystemExit(3)' });
  await page.goto(succeeded.path);
  await expectPhase(page, 'Succeeded');
  await page.goto(failed.path);
  await expectPhase(page, 'Failed');

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' }).click();
  await expect(page.getByRole('heading', { name: 'Runs', exact: true })).toBeVisible();
  const filters = page.getByRole('navigation', { name: 'Filters' });
  await page.getByRole('searchbox', { name: 'Search runs by task' }).fill('Listed');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await filters.getByRole('link', { name: /^Failed \d/ }).click();
  await filters.getByRole('link', { name: /^Last hour/ }).click();
  await expect(page).toHaveURL(/\?q=Listed&phase=failed&since=1h$/);
  await expect(page.getByRole('link', { name: `${bad} #1`, exact: true })).toBeVisible();
  await expect(page.getByRole('link', { name: `${good} #1`, exact: true })).toHaveCount(0);

  await filters.getByRole('link', { name: /^All \d/ }).first().click();
  await expect(page.getByRole('link', { name: `${good} #1`, exact: true })).toBeVisible();
  await page.getByRole('row', { name: bad }).getByRole('link', { name: `only these runs of ${bad}` }).click();
  await expect(page.getByRole('row')).toHaveCount(2);
  await page.getByRole('link', { name: `${bad} #1`, exact: true }).click();
  await expect(page).toHaveURL(failed.path);
});

test('several runs are cancelled at once', async ({ page, request, gates }) => {
  const name = uniqueName('Endless');
  const code = `${gates.code}print("on", flush=True)\nwait("never")`;
  const runs = [await makeRun(request, { name: `${name} a`, code }), await makeRun(request, { name: `${name} b`, code })];
  for (const run of runs) {
    await page.goto(run.path);
    // Not always the first line: the runs may wait for one another while they are prepared.
    await expect(page.locator('.line-text', { hasText: /^on$/ })).toBeVisible();
  }

  await page.goto(`/runs?q=${encodeURIComponent(name)}&phase=active`);
  await page.getByRole('checkbox', { name: `Choose run #1 of ${name} a` }).check();
  await page.getByRole('checkbox', { name: `Choose run #1 of ${name} b` }).check();
  await page.getByRole('button', { name: 'Cancel chosen runs…' }).click();
  await expect(page.getByRole('heading', { name: 'Cancel 2 runs?' })).toBeVisible();
  await expect(page.getByRole('link', { name: `${name} a #1` })).toBeVisible();
  await page.getByRole('button', { name: 'Cancel runs', exact: true }).click();

  await expect(page.getByRole('status')).toHaveText('2 runs are being stopped.');
  await expect(page).toHaveURL(/\/runs\?q=.*&phase=active$/);
  for (const run of runs) {
    await page.goto(run.path);
    await expectPhase(page, 'Cancelled');
  }
});

test('a list that is watched renews itself', async ({ page, request, gates, javaScriptEnabled }) => {
  const name = uniqueName('Watched');
  const run = await makeRun(request, { name, code: `${gates.code}wait("end")` });
  await page.goto(run.path);
  await expectPhase(page, 'Running');
  await page.goto(`/runs?q=${encodeURIComponent(name)}`);
  const watch = page.getByRole('link', { name: 'Watch live' });
  if (javaScriptEnabled) {
    await expect(watch).toHaveCount(0);
  } else {
    await watch.click();
  }
  const row = page.getByRole('row', { name });
  await expect(row).toContainText('Running');
  gates.open('end');
  await expect(row).toContainText('Succeeded');
  if (!javaScriptEnabled) {
    await page.getByRole('link', { name: 'Stop', exact: true }).click();
    await expect(watch).toBeVisible();
  }
});

test('tasks are found by the same filters', async ({ page, request }) => {
  const [good, bad] = [uniqueName('Filtered good'), uniqueName('Filtered bad')];
  for (const [name, code, phase] of [[good, 'print(1)', 'Succeeded'], [bad, 'raise SystemExit(3)', 'Failed']] as const) {
    await page.goto((await makeRun(request, { name, code })).path);
    await expectPhase(page, phase);
  }
  await page.goto('/tasks?q=Filtered');
  const filters = page.getByRole('navigation', { name: 'Filters' });
  await filters.getByRole('link', { name: /^Failed \d/ }).click();
  await filters.getByRole('link', { name: /^Last hour \d/ }).click();
  await expect(page).toHaveURL(/\?q=Filtered&last=failed&since=1h$/);
  await expect(page.getByRole('link', { name: bad, exact: true })).toBeVisible();
  await expect(page.getByRole('link', { name: good, exact: true })).toHaveCount(0);
  await page.getByRole('searchbox', { name: 'Search tasks' }).fill(good);
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(page.getByText(/No task matches .* and the filters\./)).toBeVisible();
  await filters.getByRole('link', { name: /^All \d/ }).click();
  await expect(page.getByRole('link', { name: good, exact: true })).toBeVisible();
  await expect(filters.getByRole('link', { name: /^Last hour 1/ })).toHaveAttribute('aria-current', 'true');
});
