/** The services with issues as writers: documents as their APIs give them. */
import { at, blockedByOthers, created, type Item, json, priority, type SourceCase, title } from './source-case.ts'

const STATES = {
  linear: {
    todo: ['Todo', 'unstarted'],
    doing: ['In Review', 'started'],
    done: ['Shipped', 'completed'],
    dropped: ['Canceled', 'canceled'],
  },
  jira: {
    todo: ['Selected', 'new'],
    doing: ['In Arbeit', 'indeterminate'],
    done: ['Fertig', 'done'],
    dropped: ['Fertig', 'done'],
  },
} as const

/** Issues of GitHub, as its GraphQL API gives them. */
export const github: SourceCase = {
  system: 'github',
  idOf: n => `shop-${n}`,
  options: { queued: ['ready'], idPrefix: 'shop' },
  dropped: 'not_planned',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: '../../7',
  files: items => {
    const reference = (n: number) => ({
      number: n,
      state: ['done', 'dropped'].includes(items.find(item => item.n === n)?.state ?? '') ? 'CLOSED' : 'OPEN',
      repository: { nameWithOwner: 'northwind/shop' },
    })
    const nodes = items.map(item => ({
      number: item.id ?? item.n,
      title: title(item),
      url: `https://github.com/northwind/shop/issues/${item.n}`,
      state: ['done', 'dropped'].includes(item.state) ? 'CLOSED' : 'OPEN',
      stateReason: item.state === 'dropped' ? 'NOT_PLANNED' : item.state === 'done' ? 'COMPLETED' : null,
      createdAt: created(item),
      updatedAt: at(item.day),
      closedAt: ['done', 'dropped'].includes(item.state) ? at(item.day) : null,
      repository: { nameWithOwner: 'northwind/shop' },
      labels: { nodes: [{ name: priority(item) }, ...(item.state === 'todo' ? [{ name: 'ready' }] : [])] },
      parent: item.parent === undefined ? null : reference(item.parent),
      blockedBy: { totalCount: item.blockedBy.length, nodes: item.blockedBy.map(reference) },
      blocking: { nodes: blockedByOthers(items, item.n).map(reference) },
    }))
    return { '': json({ data: { repository: { issues: { pageInfo: { hasNextPage: false }, nodes } } } }) }
  },
}

/** Issues of Linear, in two pages of its GraphQL API. */
export const linear: SourceCase = {
  system: 'linear',
  idOf: n => `ENG-${n}`,
  options: { queued: ['Todo'] },
  dropped: 'cancelled',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: '../../ENG-7',
  files: items => {
    const page = (some: readonly Item[], hasNextPage: boolean) => ({
      data: {
        issues: {
          pageInfo: { hasNextPage, endCursor: hasNextPage ? 'c1' : null },
          nodes: some.map(item => ({
            identifier: item.id ?? `ENG-${item.n}`,
            title: title(item),
            url: `https://linear.app/northwind/issue/ENG-${item.n}`,
            priority: 1 + (3 - (item.n % 4)),
            priorityLabel: priority(item),
            createdAt: created(item),
            updatedAt: at(item.day),
            completedAt: item.state === 'done' ? at(item.day) : null,
            canceledAt: item.state === 'dropped' ? at(item.day) : null,
            state: { name: STATES.linear[item.state][0], type: STATES.linear[item.state][1] },
            labels: { nodes: [{ name: 'api' }] },
            parent: item.parent === undefined ? null : { identifier: `ENG-${item.parent}` },
            relations: {
              nodes: blockedByOthers(items, item.n).map(n => ({
                type: 'blocks',
                relatedIssue: { identifier: `ENG-${n}` },
              })),
            },
            inverseRelations: {
              nodes: item.blockedBy.map(n => ({ type: 'blocks', issue: { identifier: `ENG-${n}` } })),
            },
          })),
        },
      },
    })
    const half = Math.ceil(items.length / 2)
    return { '': json(page(items.slice(0, half), true)) + json(page(items.slice(half), false)) }
  },
}

/** Issues of Jira, in two pages of its REST API. */
export const jira: SourceCase = {
  system: 'jira',
  idOf: n => `SHOP-${n}`,
  options: { queued: ['selected'] },
  dropped: 'not_planned',
  hasParents: true,
  hasCreationTimes: true,
  ofTwo: 'newer',
  badId: 'SHOP 7',
  files: items => {
    const type = { name: 'Blocks', inward: 'wird blockiert durch', outward: 'blockiert' }
    const page = (some: readonly Item[], more: object) => ({
      issues: some.map(item => ({
        key: item.id ?? `SHOP-${item.n}`,
        self: `https://northwind.atlassian.net/rest/api/3/issue/${10_000 + item.n}`,
        fields: {
          summary: title(item),
          status: {
            name: STATES.jira[item.state][0],
            statusCategory: { key: STATES.jira[item.state][1], name: 'To Do' },
          },
          resolution: item.state === 'dropped' ? { name: "Won't Do" } : item.state === 'done' ? { name: 'Done' } : null,
          created: created(item).replace('Z', '+0000'),
          updated: at(item.day).replace('Z', '+0000'),
          priority: { name: priority(item) },
          labels: ['api'],
          ...(item.parent !== undefined && { parent: { key: `SHOP-${item.parent}` } }),
          issuelinks: [
            ...item.blockedBy.map(n => ({ type, inwardIssue: { key: `SHOP-${n}` } })),
            ...blockedByOthers(items, item.n).map(n => ({ type, outwardIssue: { key: `SHOP-${n}` } })),
          ],
        },
      })),
      ...more,
    })
    const half = Math.ceil(items.length / 2)
    return { '': json([page(items.slice(0, half), { nextPageToken: 'x' }), page(items.slice(half), { isLast: true })]) }
  },
}
