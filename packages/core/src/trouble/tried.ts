const usualPort: Readonly<Record<string, string>> = {
  'postgres:': '5432',
  'postgresql:': '5432',
  'redis:': '6379',
  'rediss:': '6379',
}

/**
 * Whom a server's URL makes us there, and where that is, for logs: "Tried user sekali, database sekali, at db:5432". Never the
 * password, nor what follows the path, where there may be another. Empty if the text is no URL.
 */
export function triedAt(url: string): string {
  if (!URL.canParse(url)) return ''
  const { protocol, username, hostname, port, pathname } = new URL(url)
  const database = pathname.slice(1)
  const parts = [
    username !== '' && `user ${plain(username)}`,
    database !== '' && `database ${plain(database)}`,
    hostname !== '' && `at ${hostname}:${port || (usualPort[protocol] ?? '')}`,
  ]
  const said = parts.filter((part) => part !== false)
  return said.length === 0 ? '' : `Tried ${said.join(', ')}`
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a per cent sign that was not escaped
  }
}
