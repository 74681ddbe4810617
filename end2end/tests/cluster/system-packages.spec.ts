// System packages in the cluster: a pod's own Nix builds or fetches them, into the store on the volume.

import { expectPhase, expectRunShown, fill, outputLines, saveAndRun, uniqueName } from '../../support/pages.ts';
import { expect, test } from '../../support/test.ts';

test.setTimeout(300_000);

const HELLO = `
import subprocess
print(subprocess.run(["hello"], capture_output=True, text=True).stdout, end="")
`;

test('a run in the cluster gets its system packages, and finds them ready the second time', async ({ page }) => {
  await page.goto('/tasks/new');
  await fill(page, { name: uniqueName('System packages'), code: HELLO, systemPackages: 'hello' });
  await saveAndRun(page);
  // Both nixpkgs and the tests' own packages have it, in other words.
  await expect(outputLines(page)).toHaveText([/^hello\b/i], { timeout: 240_000 });
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#details-cache')).toContainText('Nix: package set');

  await page.getByRole('button', { name: 'Rerun', exact: true }).click();
  await expectRunShown(page, 2);
  await expect(outputLines(page)).toHaveText([/^hello\b/i], { timeout: 90_000 });
  await expectPhase(page, 'Succeeded');
  await expect(page.locator('#details-cache')).toContainText('Nix: package setready');
});
