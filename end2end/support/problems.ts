// What a browser complains about fails the test, unless the test says that it must come.

import type { BrowserContext } from '@playwright/test';

export class Problems {
  private readonly found: string[] = [];
  private readonly expected: RegExp[] = [];

  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      // On a busy machine the islands start later than Chromium thinks a preloaded file should be used.
      if (message.text().includes('was preloaded using link preload but not used')) return;
      if (['error', 'warning'].includes(message.type())) {
        this.found.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => {
      const words = error.error().stack ?? String(error.error());
      // A page that is left before its program has come gives the program up, and says so without words.
      if (words !== '') {
        this.found.push(`page error: ${words}`);
      }
    });
    context.on('dialog', (dialog) => {
      this.found.push(`dialog: ${dialog.type()} ${dialog.message()}`);
      // The question before a page with unsaved changes is left: it is left, as whoever navigates there wants.
      void (dialog.type() === 'beforeunload' ? dialog.accept() : dialog.dismiss());
    });
  }

  /** These may come: a page answered with status 422 is an error to the browser's console, and so on. */
  expect(...patterns: RegExp[]): void {
    this.expected.push(...patterns);
  }

  /** Refused forms answer with these. */
  expectStatus(...statuses: number[]): void {
    this.expect(...statuses.map((status) => new RegExp(`status of ${status}\\b`)));
  }

  get unexpected(): string[] {
    return this.found.filter((problem) => !this.expected.some((pattern) => pattern.test(problem)));
  }
}
