/** More is a mistake: each is tried in turn before a connection is given up. */
const hostsMax = 8

/**
 * A URL for each host that a URL of PostgreSQL names, in its order: `postgres://user:password@h1:5432,h2:5432/database`, as
 * libpq has it. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 * `undefined` if the text is no such URL.
 */
export function urlsOfHosts(url: string): readonly string[] | undefined {
  const [, before = '', hosts = '', after = ''] =
    /^([a-z]+:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/is.exec(url) ?? []
  const list = hosts.split(',')
  if (list.length === 1) return URL.canParse(url) ? [url] : undefined
  const urls = list.map((host) => `${before}${host}${after}`)
  const areHosts = list.every((host) => host !== '') && urls.every((one) => URL.canParse(one))
  return areHosts && urls.length <= hostsMax ? urls : undefined
}
