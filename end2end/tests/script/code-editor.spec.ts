import { expectPhase, expectRunPage, field, outputLines } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test('Tab and Enter indent the code, and Ctrl+Enter saves and runs it', async ({ page }) => {
  await page.goto('/tasks/new');
  const code = field(page, 'code');
  // The hint comes with what listens to the keys.
  await expect(code).toHaveAccessibleDescription(/Tab indents/);
  await code.pressSequentially('for i in range(2):');
  await code.press('Enter');
  await code.pressSequentially('print("line", i)');
  await code.press('Enter');
  await code.press('Tab');
  await code.pressSequentially('# deeper');
  await expect(code).toHaveValue('for i in range(2):\n    print("line", i)\n        # deeper');
  await code.press('Escape');
  await code.press('Tab');
  await expect(field(page, 'packages')).toBeFocused();
  await page.keyboard.press('Control+Enter');
  await expectRunPage(page, 1);
  await expectPhase(page, 'Succeeded');
  await expect(outputLines(page)).toHaveText(['line 0', 'line 1']);
});

test('what was typed is not left without a question', async ({ page, problems }) => {
  problems.expect(/^dialog: /);
  await page.goto('/tasks/new');
  const code = field(page, 'code');
  await expect(code).toHaveAccessibleDescription(/Tab indents/);
  await code.click();
  await code.pressSequentially('print(1)');
  const asked = page.waitForEvent('dialog');
  await page.getByRole('link', { name: 'Tasks', exact: true }).click({ noWaitAfter: true });
  expect((await asked).type()).toBe('beforeunload');
  await expect(code).toHaveValue('print(1)');
});
