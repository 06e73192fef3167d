/** How a place in a topic's log is written. In the first epoch it is the seq alone, as it is where nothing was ever restored. */
import type { EpochPlace } from './fork.ts'

const epochMax = 2 ** 31 - 1

/** For instance `600`; in an epoch above the first `2.600`. Before the first event every epoch is the same. */
export const formatPlace = ({ epoch, seq }: EpochPlace): string =>
  epoch === 1 || seq === 0 ? String(seq) : `${epoch}.${seq}`

/** `undefined` for what is no seq, with or without an epoch above the first. */
export function parsePlace(text: string): EpochPlace | undefined {
  const [, epochText, seqText] = /^(?:([1-9]\d{0,9})\.)?(\d{1,16})$/.exec(text) ?? []
  const [epoch, seq] = [Number(epochText ?? 1), Number(seqText)]
  if (epochText === '1' || epoch > epochMax || !Number.isSafeInteger(seq)) return undefined
  return { epoch, seq }
}
