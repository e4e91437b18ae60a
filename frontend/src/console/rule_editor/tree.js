// The rule as the editor holds it: groups and conditions, each of which may be negated.
//   {kind: "group", mode: "all"|"any", negated, children: [...]} | {kind: "condition", name, values, negated}

const MAX_DEPTH = 30;

export function fromRule(rule) {
  const root = toNode(rule, 0);
  if (root && root.kind === "group" && !root.negated) return root;
  return { kind: "group", mode: "all", negated: false, children: root ? [root] : [] };
}

function toNode(rule, depth) {
  if (!rule || typeof rule !== "object" || depth > MAX_DEPTH) return null;
  if ("not" in rule) {
    const inner = toNode(rule.not, depth + 1);
    return inner && { ...inner, negated: !inner.negated };
  }
  for (const mode of ["all", "any"]) {
    if (Array.isArray(rule[mode])) {
      const children = rule[mode].map((child) => toNode(child, depth + 1)).filter(Boolean);
      return { kind: "group", mode, negated: false, children };
    }
  }
  const { condition, ...values } = rule;
  return condition ? { kind: "condition", name: condition, values, negated: false } : null;
}

export function toRule(node) {
  const rule =
    node.kind === "group" ? { [node.mode]: node.children.map(toRule) } : { condition: node.name, ...node.values };
  return node.negated ? { not: rule } : rule;
}

export function newGroup() {
  return { kind: "group", mode: "any", negated: false, children: [] };
}

export function newCondition(name, values) {
  return { kind: "condition", name, values, negated: false };
}
