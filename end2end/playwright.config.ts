import { defineConfig, devices } from '@playwright/test';

const chromium = {
  ...devices['Desktop Chrome'],
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
};

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 2,
  // A test that fails now and then is a defect, of it or of Stoker.
  retries: 0,
  forbidOnly: true,
  // A machine that others share may stall for seconds; what is waited for longer costs nothing where all is well.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    // A click that finds nothing says so long before the test is out of time.
    actionTimeout: 20_000,
    navigationTimeout: 40_000,
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'js', testMatch: ['both/**/*.spec.ts', 'script/**/*.spec.ts'], use: chromium },
    {
      name: 'nojs',
      testMatch: ['both/**/*.spec.ts', 'noscript/**/*.spec.ts'],
      use: { ...chromium, javaScriptEnabled: false },
    },
  ],
});
