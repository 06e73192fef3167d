import { createHash } from 'node:crypto'

/** One text of a file; without a file, the built-in definitions. */
export interface Source {
  readonly file?: string
  /** Of the text. */
  readonly hash: string
}

export const builtInSource: Source = { hash: 'built-in' }

export const hashOf = (text: Uint8Array): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16)

/** The same for the same text of the same file. */
export const keyOf = ({ file = '', hash }: Source): string => `${file}?${hash}`
