import type { Page } from '@playwright/test';

import { expect, test } from '../../support/test.ts';

/** How light the page's background is, from 0 to 1. */
async function lightness(page: Page): Promise<number> {
  return await page.evaluate(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    if (!canvas) throw new Error('no canvas');
    for (const element of [document.documentElement, document.body]) {
      canvas.fillStyle = getComputedStyle(element).backgroundColor;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / (3 * 255);
  });
}

test('the theme follows the system until one is chosen, and the choice is remembered', async ({ page }) => {
  const choose = async (name: string) => {
    await page.getByRole('button', { name, exact: true }).click();
    await expect(page.getByRole('button', { name, exact: true })).toHaveAttribute('aria-pressed', 'true');
  };
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/tasks/new');
  await expect.poll(() => lightness(page)).toBeGreaterThan(0.8);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(() => lightness(page)).toBeLessThan(0.25);

  await choose('Light');
  await expect(page).toHaveURL(/\/tasks\/new$/);
  await expect.poll(() => lightness(page)).toBeGreaterThan(0.8);
  await choose('Dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/tasks');
  await expect.poll(() => lightness(page)).toBeLessThan(0.25);
  await choose('Auto');
  await expect.poll(() => lightness(page)).toBeGreaterThan(0.8);
});
