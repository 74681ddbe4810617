// Scripts as the ecosystem has them: uploaded with what they say of themselves, and downloaded with it.

import { readFile } from 'node:fs/promises';

import { expectPhase, expectRunShown, field, outputLines, save } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const SCRIPT = `# /// script
# requires-python = ">=3.9"
# dependencies = ["six==1.16.0"]
# ///
import six
print(six.__version__)
`;

test('a script is uploaded, runs with its own packages, and is downloaded', async ({ page }) => {
  await page.goto('/tasks/new');
  await page.getByLabel('Or upload a script').setInputFiles({
    name: 'shows_version.py',
    mimeType: 'text/x-python',
    buffer: Buffer.from(SCRIPT),
  });
  await save(page);
  await expect(page.getByRole('heading', { level: 1, name: 'shows_version' })).toBeVisible();
  await expect(page.getByText("Packages taken from the script's own block.")).toBeVisible();

  await page.getByRole('button', { name: 'Run', exact: true }).click();
  const run = await expectRunShown(page, 1);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['1.16.0']);
  await page.goto(run.path);
  await page.getByText('Exact versions').click();
  await expect(page.getByRole('row', { name: /^Python 3\./ })).toBeVisible();

  await page.getByText('Code and settings as they ran').click();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download as script' }).click();
  expect((await download).suggestedFilename()).toBe('shows-version.py');
  expect(await readFile(await (await download).path(), 'utf8')).toBe(SCRIPT);
});

test('packages that differ from those of the script are the choice of who enters them', async ({ page, problems }) => {
  problems.expectStatus(422);
  await page.goto('/tasks/new');
  await field(page, 'code').fill(SCRIPT);
  await field(page, 'packages').fill('idna');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const words = page.locator('#packages-error');
  await expect(words).toContainText('names other packages: six==1.16.0. Empty this field to take those');
  await expect(field(page, 'packages')).toHaveValue('idna');

  await field(page, 'packages').fill('');
  await save(page);
  await expect(page.getByText("Packages taken from the script's own block.")).toBeVisible();
});
