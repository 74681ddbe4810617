import { expectPhase, expectRunShown, line, log } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('without tasks there are three examples, and one click runs one', async ({ page, ownServer }) => {
  await page.goto(ownServer.url);
  await expect(page.getByRole('heading', { level: 1, name: 'Tasks' })).toBeVisible();
  await expect(page.getByRole('button', { name: /^Run / })).toHaveCount(3);
  await expect(page.getByRole('link', { name: 'Write your first task' })).toBeVisible();

  await page.getByRole('button', { name: 'Run it: Hello, Stoker' }).click();

  await expectRunShown(page, 1);
  await expect(log(page)).toContainText('Hello from Python');
  await expectPhase(page, 'Succeeded');
  await expect(log(page)).toContainText('done');
});

test('an example can be looked at first', async ({ page, ownServer }) => {
  await page.goto(`${ownServer.url}/tasks`);
  await page.getByRole('link', { name: 'Look first: Sensor averages' }).click();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Sensor averages');
  await expect(page.getByLabel('Python packages', { exact: true })).toHaveValue(/numpy/);
});

test('the failing example says why it failed, and leads to the line', async ({ page, ownServer }) => {
  await page.goto(`${ownServer.url}/tasks`);
  await page.getByRole('button', { name: 'Run it: A run that fails' }).click();
  await expectRunShown(page, 1);
  await expectPhase(page, 'Failed');
  const main = page.getByRole('main');
  await expect(main.getByText('exit code 1', { exact: true })).toBeVisible();
  await expect(page.locator('#run-summary')).toContainText("ValueError: could not convert string to float: 'n/a'");
  const jump = page.getByRole('link', { name: /^Jump to line \d+$/ });
  const number = Number((await jump.textContent())?.match(/\d+/)?.[0]);
  await jump.click();
  await expect(page).toHaveURL(new RegExp(`#L${number}$`));
  await expect(line(page, number)).toContainText('ValueError');
  await expect(line(page, number)).toBeInViewport();
});

test('addresses that lead nowhere say so and lead on', async ({ page, problems }) => {
  problems.expectStatus(404);
  for (const address of ['/nowhere', '/tasks/task-000000000000', '/tasks/nonsense', '/tasks/task-000000000000/runs/1']) {
    const response = await page.goto(address);
    expect(response?.status(), address).toBe(404);
    await expect(page.getByRole('main').getByRole('link', { name: 'All tasks' })).toBeVisible();
  }
});
