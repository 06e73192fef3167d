import { scan, toEnd } from '@sekali/core/scan'

/** The text of each member of an object, as it came. */
export function membersOf(text: string): Map<string, string> {
  const [members = new Map()] = collect(text, 0)
  return members
}

/** The same for each object of an array. */
export const membersOfEach = (text: string): Map<string, string>[] => collect(text, 1)

function collect(text: string, outer: 0 | 1): Map<string, string>[] {
  const all: Map<string, string>[] = []
  toEnd(
    scan(text, outer, {
      onBegin: () => void all.push(new Map()),
      onMember: (key, value) => void all.at(-1)?.set(JSON.parse(key), value),
      onEnd: () => undefined,
    }),
  )
  return all
}
