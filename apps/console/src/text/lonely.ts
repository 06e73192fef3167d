/** Values between two that are not known: no line goes through them, so each is a point. */
export const lonely = (values: readonly (number | null | undefined)[]): number[] =>
  values.flatMap((value, at) =>
    typeof value === 'number' && typeof values[at - 1] !== 'number' && typeof values[at + 1] !== 'number'
      ? [at]
      : [],
  )
