function n(t){let o=t.getRootNode().getSelection?.()??document.getSelection();return!!o&&!o.isCollapsed&&o.containsNode(t,!0)}export{n as a};
