const PATHS = {
  chat: 'M4.5 18.5 3.5 21.5l4-1.3A9 9 0 1 0 4.5 18.5Z',
  down: 'm6 9.5 6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  send: 'M12 19.5v-15M5.5 11 12 4.5l6.5 6.5',
  stop: 'M7 8a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1z',
  attach: 'm20.5 11.5-8.3 8.3a5.4 5.4 0 0 1-7.6-7.6l8.6-8.6a3.6 3.6 0 0 1 5.1 5.1l-8.6 8.6a1.8 1.8 0 0 1-2.6-2.6l7.9-7.8',
  menu: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  retry: 'M20 12a8 8 0 1 1-2.4-5.7L20 8.5M20 3.5v5h-5',
  edit: 'm4 20 .9-4.2L16.2 4.5a2.3 2.3 0 0 1 3.3 3.3L8.2 19.1 4 20Z',
  good: 'M7.5 10.5v9.5M7.5 10.5l3.8-7c1.5 0 2.6 1.1 2.6 2.6l-.7 3.4h5.1a2.2 2.2 0 0 1 2.2 2.6l-1.1 6a2.2 2.2 0 0 1-2.2 1.9H4.2a.7.7 0 0 1-.7-.7v-8.1a.7.7 0 0 1 .7-.7z',
  bad: 'M16.5 13.5V4M16.5 13.5l-3.8 7c-1.5 0-2.6-1.1-2.6-2.6l.7-3.4H5.7a2.2 2.2 0 0 1-2.2-2.6l1.1-6A2.2 2.2 0 0 1 6.8 4h13a.7.7 0 0 1 .7.7v8.1a.7.7 0 0 1-.7.7z',
  file: 'M13.5 3.5H6.5v17h11v-13zM13.5 3.5v4h4',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5a7.5 7.5 0 0 1 15 0',
  plus: 'M12 5v14M5 12h14',
  alert: 'M12 7.5v5.5M12 16.5v.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z',
  spark: 'M12 3.5c.7 4.9 3.1 7.4 8.5 8.5-5.4 1.1-7.8 3.6-8.5 8.5-.7-4.9-3.1-7.4-8.5-8.5 5.4-1.1 7.8-3.6 8.5-8.5Z',
} as const

export type IconName = keyof typeof PATHS

const SVG = 'http://www.w3.org/2000/svg'

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('class', `icon icon-${name}`)
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', PATHS[name])
  svg.append(path)
  return svg
}
