/** What a process reports to Prometheus: the value of each series, by its name with its labels as they are written. */
export type Scraped = ReadonlyMap<string, number>

/** Reads Prometheus's text format. Throws if a series is there twice, because Prometheus then takes none. */
export function parseScrape(text: string): Scraped {
  const series = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const at = line.lastIndexOf(' ')
    const name = line.slice(0, at)
    if (series.has(name)) throw new Error(`${name} is there twice`)
    series.set(name, Number(line.slice(at + 1)))
  }
  return series
}

/** Scrapes `/metrics` of a port of this machine. */
export async function scrape(port: number | string): Promise<Scraped> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  if (response.status !== 200) throw new Error(`/metrics answers ${response.status}`)
  return parseScrape(await response.text())
}
