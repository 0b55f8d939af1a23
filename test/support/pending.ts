// A test that cannot run on this machine says why, in a line that .ci/run collects.

/**
 * Marks the running test, or the suite of the running hook, as pending.
 * @param context `this` of the test or hook
 * @param reason what is missing and how to get it
 */
export function pending(context: Mocha.Context, reason: string): never {
  const title = (context.test ?? context.currentTest)?.fullTitle() ?? 'a test';
  console.log(`\nPENDING: ${title.replace('"before all" hook in ', '')}: ${reason}`);
  context.skip();
}
