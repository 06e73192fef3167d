import * as v from 'valibot'

/**
 * A whole number in a range, from text in digits. Without a default it must be there. To JSON Schema it is the number: that
 * a query or a variable writes it in digits goes without saying.
 */
export function wholeNumber(min: number, max: number, byDefault?: number) {
  const expected = `must be a whole number from ${min} to ${max}`
  const described = { type: 'integer', minimum: min, maximum: max, pattern: undefined, default: byDefault }
  return v.pipe(
    byDefault === undefined ? v.string(expected) : v.optional(v.string(expected), String(byDefault)),
    v.regex(/^\d{1,16}$/, expected),
    v.metadata(described),
    v.transform(Number),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  )
}
