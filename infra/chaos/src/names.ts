/**
 * The names that patterns such as `abuse-*` stand for, each once, in the order of the patterns. `unknown` is the first
 * pattern that stands for none.
 */
export function expandNames(
  patterns: readonly string[],
  known: readonly string[],
): { names: string[]; unknown: string | undefined } {
  const matches = patterns.map((pattern) => {
    const parts = pattern.split('*').map(RegExp.escape)
    const whole = new RegExp(`^${parts.join('.*')}$`)
    return known.filter((name) => whole.test(name))
  })
  return {
    names: [...new Set(matches.flat())],
    unknown: patterns.find((_, at) => matches[at]?.length === 0),
  }
}
