import { join } from 'node:path'
import type { NotLoaded } from '@sekali/core/not-loaded'
import type { Notice } from '@sekali/process/notice'

/** What projectors say of their projections. */
export type ProjectorNotice = Exclude<
  Notice,
  { readonly health: string } | { readonly metrics: string } | { readonly keyless: number }
>

/**
 * Returns a function that takes the notices of projectors, and says of each file once that it does not load and why, and
 * once that it is in nobody's way any more; and of a projection that it has stopped. `folder` is how people call the folder of
 * definitions.
 */
export function narrateNotices(
  folder: string,
  say: (what: string, happens: string) => void,
): (projector: string, notice: ProjectorNotice) => void {
  const byProjector = new Map<string, readonly NotLoaded[]>()
  let said = new Map<string, string>()
  return (projector, notice) => {
    if ('stopped' in notice) {
      const { name, topic, seq, message } = notice.stopped
      return say(
        `projection ${name}`,
        `has stopped at ${topic} seq ${seq}: ${message}. Mend its file; it is folded anew by itself`,
      )
    }
    const { notLoaded } = notice
    byProjector.set(projector, notLoaded)
    const files = new Map([...byProjector.values()].flat().map((one) => [one.file, one]))
    for (const one of files.values()) {
      if (said.get(one.file) !== wordsOf(one)) say(placeIn(folder, one), wordsOf(one))
    }
    for (const file of said.keys()) if (!files.has(file)) say(join(folder, file), 'is mended, or gone')
    said = new Map([...files].map(([file, one]) => [file, wordsOf(one)]))
  }
}

/** As editors and terminals take it: the path, a colon and the line. */
const placeIn = (folder: string, { file, line }: NotLoaded): string =>
  `${join(folder, file)}${line === null ? '' : `:${line}`}`

const wordsOf = ({ message }: NotLoaded): string =>
  `does not load: ${message}. Mend it; it is read again by itself`
