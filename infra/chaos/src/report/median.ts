/** Undefined of no numbers; of an even number of them the greater of the two in the middle. */
export const medianOf = (numbers: readonly number[]): number | undefined =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
