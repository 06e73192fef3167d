/** A way to break the product, and the smallest test that must notice. */
export interface Mutant {
  readonly name: string
  /** What is done wrong, in words. */
  readonly breaks: string
  readonly edits: readonly Edit[]
  readonly test: TestChoice
}

/** A text that must be in the file exactly once, and what takes its place. */
export interface Edit {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface TestChoice {
  /** As in vitest.workspace.ts. */
  readonly project: string
  /** Part of the file's name. */
  readonly file: string
  /** What the names of the tests match. */
  readonly name: string
}

/** The text with the edit made. Throws unless what it looks for is there exactly once. */
export function applyEdit(text: string, { file, find, replace }: Edit): string {
  const times = text.split(find).length - 1
  if (times !== 1) throw new Error(`${file} holds this ${times} times, not once: ${find}`)
  return text.replace(find, () => replace)
}
