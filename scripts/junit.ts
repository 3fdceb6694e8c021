/** How many tests a report of `bun test` tells of: the attributes of its outermost element. */
export const totals = (junit: string) => {
  const root = /<testsuites [^>]*>/.exec(junit)?.[0] ?? '';
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  const skipped = count('skipped');
  return { passed: count('tests') - failed - skipped, failed, skipped };
};
