import { holdsKey, isKeyId } from '@sekali/core/key'

/** What topics and projections are called. */
const name = /^[\w.-]{1,128}$/

/**
 * A route's path, with the ids and names that a request put into it; what is none of these stays as the table has it. A
 * client may have written anything there, such as a whole key in place of its id, and the audit log never forgets.
 */
export function namedPath(path: string, url = ''): string {
  const [asked = ''] = url.split('?', 1)
  const segments = asked.split('/')
  return path
    .split('/')
    .map((part, index) => {
      const given = segments[index] ?? ''
      if (!part.startsWith(':')) return part
      const isFit = part === ':id' ? isKeyId(given) : name.test(given) && !holdsKey(given)
      return isFit ? given : part
    })
    .join('/')
}
