import {
  type Draft,
  editAndRerun,
  expectForm,
  expectPhase,
  fill,
  outputLines,
  save,
  saveAndRun,
  sendRefused,
  uniqueName,
} from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

const HOSTILE = [
  '🚀👩‍👩‍👧',
  '\u202eevil\u202c \u200bzero',
  "'; rm -rf / #",
  '$(touch /tmp/hacked) `id` ${HOME}',
  '{{workflow.name}} {{=1+1}} {% if %}',
  '<script>document.title="hacked"</script><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)> &lt;b&gt; \\n \\u0041',
  '%s %n %00 ../../etc/passwd',
];

test('hostile text in name, code and environment is only text', async ({ page }) => {
  const [first = '', ...rest] = HOSTILE;
  const name = uniqueName(HOSTILE.join(' ').slice(0, 90));
  const draft: Draft = {
    name,
    code: `import os\nprint(${JSON.stringify(first)})\n${rest.map((text) => `print(${JSON.stringify(text)})\n`).join('')}print(os.environ["HOSTILE"])\n# ${HOSTILE.join(' ')}\n`,
    environment: `HOSTILE=${HOSTILE.join(' ')}`,
  };
  await page.goto('/tasks/new');
  await fill(page, draft);
  await saveAndRun(page);
  await expectPhase(page, 'Succeeded');
  const shown = (text: string) => text.replaceAll('\u202e', 'U+202E').replaceAll('\u202c', 'U+202C').replaceAll('\u200b', 'U+200B');
  await expect
    .poll(async () => (await outputLines(page).allTextContents()).map(shown))
    .toEqual([...HOSTILE, HOSTILE.join(' ')].map(shown));
  await expect(page).not.toHaveTitle('hacked');
  await editAndRerun(page);
  await expectForm(page, draft);
  await save(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expectForm(page, draft);
  await page.goto('/tasks');
  await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('link', { name: 'Delete' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Delete “${name}”?`);
});

test('hostile text in every other field is refused and kept', async ({ page, problems }) => {
  problems.expectStatus(422);
  await page.goto('/tasks/new');
  for (const text of HOSTILE) {
    const draft: Draft = {
      name: 'Hostile fields',
      code: 'print(1)',
      packages: text,
      systemPackages: text,
      requirements: text,
      environment: `${text.replaceAll('=', '')}=1`,
      timeout: text.slice(0, 12),
    };
    await fill(page, draft);
    expect(await sendRefused(page, 'Save'), text).toBe(422);
    await expect(page.getByRole('alert').getByRole('listitem')).toHaveCount(5);
    await expectForm(page, draft);
    await expect(page).toHaveTitle('Error: New task · Stoker');
    await expect(page.getByRole('alert').locator('script, img, svg')).toHaveCount(0);
  }
});
