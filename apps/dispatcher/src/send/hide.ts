/**
 * Keeps the values of an endpoint's own headers out of what is written down of its answers: a receiver that shows the request it
 * got, as many do with an error, would have whoever may read attempts see them.
 */

/** What is shorter is no secret, and would be found everywhere. */
const charsMin = 8
const mask = '***'

/** What is to be hidden of such headers, the longest first: `Bearer x`, `x` alone, and either as JSON has it. */
export function hiddenOf(headers: Readonly<Record<string, string>>): readonly string[] {
  const texts = Object.values(headers).flatMap((value) => [value, value.replace(/^[\w-]+ +/, '')])
  const written = texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
  return [...new Set(written)]
    .filter(({ length }) => length >= charsMin)
    .toSorted((a, b) => b.length - a.length)
}

/** The text with a mask in place of each of these. `isCut`: it may end within one. */
export function hide(text: string, hidden: readonly string[], isCut = false): string {
  const whole = hidden.reduce((rest, one) => rest.replaceAll(one, mask), text)
  return isCut ? withoutBeginning(whole, hidden) : whole
}

function withoutBeginning(text: string, hidden: readonly string[]): string {
  for (const one of hidden) {
    for (let length = one.length - 1; length >= charsMin; length--) {
      if (text.endsWith(one.slice(0, length))) return text.slice(0, -length) + mask
    }
  }
  return text
}
