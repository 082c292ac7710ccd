var n=new Set;function i(o){n.size||requestAnimationFrame(e),n.add(o)}function e(){let o=[...n];n.clear();for(let t of o)t()}export{i as a};
